// The labels that one runtime of JavaScript gives to texts.
//
//   node runtime_driver.mjs FOLDER FILE ROWS    prints JSON; ONNX Runtime for Node.js in FOLDER
//
// In a browser (benchmarks/runtime_browser.py), the runtime is the fragment of the page's address,
// FILE and ROWS are on its server, and the result is posted to it.

/** Opens an ONNX file with ONNX Runtime; returns a function from rows to labels. */
async function openOnnx(ort, content) {
  const session = await ort.InferenceSession.create(content);
  return async (row) => {
    const bytes = new ort.Tensor("int32", row, [1, row.length]);
    const { label } = await session.run({ bytes }, ["label"]);
    return label.data[0];
  };
}

/** Opens a .tflite with LiteRT.js; returns a function from rows to labels. */
async function openLiteRt({ Tensor, loadAndCompile, loadLiteRt }, content) {
  await loadLiteRt("/litert/core/wasm/");
  const model = await loadAndCompile(content, { accelerator: "wasm" });
  return async (row) => {
    const bytes = new Tensor(row, [1, row.length]);
    const outputs = await model.run({ bytes });
    const label = outputs.label.toTypedArray()[0];
    // Tensors live in WebAssembly memory, which JavaScript does not collect.
    for (const tensor of [bytes, ...Object.values(outputs)]) tensor.delete();
    return label;
  };
}

async function labelRows(label, rows) {
  const labels = [];
  for (const row of rows) labels.push(await label(Int32Array.from(row)));
  return labels;
}

async function inNode(folder, file, path) {
  const [{ createRequire }, { readFile }] = await Promise.all([
    import("node:module"),
    import("node:fs/promises"),
  ]);
  const label = await openOnnx(createRequire(`${folder}/`)("onnxruntime-node"), file);
  return { labels: await labelRows(label, JSON.parse(await readFile(path))) };
}

async function inBrowser(runtime) {
  const fetchFile = async (name) => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`);
    return response;
  };
  const content = new Uint8Array(await (await fetchFile("/model")).arrayBuffer());
  const rows = await (await fetchFile("/rows")).json();
  const label =
    runtime === "@litertjs/core"
      ? await openLiteRt(await import("@litertjs/core"), content)
      : await openOnnx(await import("onnxruntime-web"), content);
  return { labels: await labelRows(label, rows) };
}

const isNode = typeof document === "undefined";
const labelling = isNode ? inNode(...process.argv.slice(2)) : inBrowser(location.hash.slice(1));
const result = await labelling.catch((error) => ({ error: String(error?.message ?? error) }));
if (isNode) console.log(JSON.stringify(result));
else await fetch("/result", { method: "POST", body: JSON.stringify(result) });
