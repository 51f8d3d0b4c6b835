// Loads a SavedModel as TF Serving does, without Python, and prints its predictions for texts.
// load_saved_model FOLDER [LIBRARY.so...] [DIMENSION...] < texts, each as length (uint32) and bytes
// The libraries hold ops of TensorFlow Text, which TF Serving has built in.
#include <dlfcn.h>

#include <cstdint>
#include <iostream>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"

int main(int argc, char** argv) {
  int first = 2;
  for (; first < argc && std::string(argv[first]).find(".so") != std::string::npos; ++first)
    if (!dlopen(argv[first], RTLD_NOW)) return std::cerr << dlerror() << '\n', 4;
  tensorflow::SavedModelBundle bundle;
  TF_CHECK_OK(LoadSavedModel({}, {}, argv[1], {"serve"}, &bundle));
  tensorflow::TensorShape shape;
  for (int i = first; i < argc; ++i) shape.AddDim(std::stoll(argv[i]));
  tensorflow::Tensor input(tensorflow::DT_STRING, shape);
  for (int64_t i = 0; i < input.NumElements(); ++i) {
    uint32_t size = 0;
    std::cin.read(reinterpret_cast<char*>(&size), sizeof size);
    auto& text = input.flat<tensorflow::tstring>()(i);
    text.resize(size);
    std::cin.read(text.mdata(), size);
  }
  const auto& signature = bundle.GetSignatures().at("serving_default");
  std::vector<std::string> names;
  for (auto name : {"label", "class_id", "probabilities", "review", "version"})
    names.push_back(signature.outputs().at(name).name());
  std::vector<tensorflow::Tensor> outputs;
  const auto status = bundle.session->Run(
      {{signature.inputs().at("text").name(), input}}, names, {}, &outputs);
  if (!status.ok()) return std::cerr << status.message() << '\n', 3;
  std::cout.precision(9);
  for (int64_t i = 0; i < outputs[0].dim_size(0); ++i) {
    std::cout << std::string(outputs[0].flat<tensorflow::tstring>()(i)) << '\t'
              << outputs[1].flat<int32_t>()(i) << '\t' << outputs[3].flat<bool>()(i) << '\t'
              << outputs[4].flat<int64_t>()(i);
    for (int64_t c = 0; c < outputs[2].dim_size(1); ++c)
      std::cout << '\t' << outputs[2].matrix<float>()(i, c);
    std::cout << '\n';
  }
}
