// A .tflite of kerasclf in the browser: texts to labels, one at a time.

import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";

/**
 * UTF-8 bytes of a text, truncated and padded with 0.
 *
 * @param {string} text
 * @param {number} maxBytes
 * @returns {{bytes: Int32Array, length: number}} `maxBytes` bytes, and the length of the whole text
 *   in bytes.
 */
export function encode(text, maxBytes) {
  const raw = new TextEncoder().encode(text);
  const bytes = new Int32Array(maxBytes);
  bytes.set(raw.subarray(0, maxBytes));
  return { bytes, length: raw.length };
}

/**
 * Fetches a file of the page.
 *
 * @param {string} name
 * @returns {Promise<Response>}
 * @throws {Error} the server does not have the file.
 */
export async function fetchFile(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`);
  return response;
}

export class Classifier {
  #model;

  /** Loads the model beside this file. */
  static async load() {
    const [metadata, content] = await Promise.all([
      fetchFile("metadata.json").then((response) => response.json()),
      fetchFile("model.tflite").then((response) => response.arrayBuffer()),
      loadLiteRt(new URL("litert/core/wasm/", import.meta.url).href),
    ]);
    const model = await loadAndCompile(new Uint8Array(content), { accelerator: "wasm" });
    const classifier = new Classifier(metadata, model);
    // The first run allocates memory and prepares kernels; later times are those of a text alone.
    await classifier.classify("");
    return classifier;
  }

  constructor(metadata, model) {
    this.metadata = metadata;
    this.#model = model;
  }

  /**
   * Classifies one text.
   *
   * @param {string} text
   * @returns {Promise<{label: string, review: boolean, probabilities: number[], length: number,
   *   milliseconds: number}>} probabilities in the order of the metadata's labels; length of the
   *   text in bytes; time from the text to the probabilities.
   */
  async classify(text) {
    const start = performance.now();
    const { bytes, length } = encode(text, this.metadata.max_bytes);
    const input = new Tensor(bytes, [1, bytes.length]);
    let outputs = {};
    try {
      outputs = await this.#model.run({ bytes: input });
      const label = outputs.label.toTypedArray()[0];
      const review = outputs.review.toTypedArray()[0];
      const probabilities = Array.from(outputs.probabilities.toTypedArray());
      return {
        label: this.metadata.labels[label],
        review: Boolean(review),
        probabilities,
        length,
        milliseconds: performance.now() - start,
      };
    } finally {
      // Tensors live in WebAssembly memory, which JavaScript does not collect.
      input.delete();
      for (const output of Object.values(outputs)) output.delete();
    }
  }
}
