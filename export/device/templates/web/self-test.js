// Compares this browser with the predictions in golden.json.

import { fetchFile } from "./classifier.js";

// As in Python's self-test: integer arithmetic may round differently on another machine.
const TOLERANCE = 0.01;

/**
 * Classifies the golden texts.
 *
 * @param {import("./classifier.js").Classifier} classifier
 * @returns {Promise<{passed: boolean, largest_difference: number, texts: object[]}>}
 */
export async function selfTest(classifier) {
  const golden = await fetchFile("golden.json").then((response) => response.json());
  const labels = classifier.metadata.labels;
  const texts = [];
  for (const expected of golden) {
    const prediction = await classifier.classify(expected.text);
    const differences = labels.map((label, i) =>
      Math.abs(prediction.probabilities[i] - expected.probabilities[label]),
    );
    const difference = Math.max(...differences);
    const passed =
      prediction.label === expected.label &&
      prediction.review === expected.review &&
      difference <= TOLERANCE;
    texts.push({ text: expected.text, passed, difference, ...prediction });
  }
  return {
    passed: texts.every((entry) => entry.passed),
    largest_difference: Math.max(...texts.map((entry) => entry.difference)),
    texts,
  };
}
