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

// White space as the encoder knows it; words of longer texts are left out several at a time.
const WORD = /[^\0\t\n\v\f\r ]+/g;
const MOST_WORDS = 100;
// Probabilities are computed in 32 bits.
const LEAST = 1e-30;

/** Logarithm of a probability less the mean of those of the others. */
function score(probabilities, chosen) {
  const logs = probabilities.map((p) => Math.log(Math.max(p, LEAST)));
  const others = logs.reduce((sum, value) => sum + value, 0) - logs[chosen];
  return logs[chosen] - others / (logs.length - 1);
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

  /**
   * What each word adds to the score of the label: the score less that of the text without the word.
   *
   * @param {string} text
   * @returns {Promise<{label: string, words: {text: string, contribution: number}[]}>} words with
   *   the space behind them.
   */
  async explain(text) {
    const { label, probabilities } = await this.classify(text);
    const chosen = this.metadata.labels.indexOf(label);
    const whole = score(probabilities, chosen);
    const all = [...text.matchAll(WORD)].map((match) => match.index);
    const step = Math.ceil(all.length / MOST_WORDS);
    const starts = all.filter((_, i) => i % step === 0);
    const words = [];
    for (const [i, start] of starts.entries()) {
      const end = starts[i + 1] ?? text.length;
      const without = await this.classify(text.slice(0, start) + text.slice(end));
      const contribution = whole - score(without.probabilities, chosen);
      words.push({ text: text.slice(start, end), contribution });
    }
    return { label, words };
  }
}
