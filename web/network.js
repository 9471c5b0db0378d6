// The bundle beside the page, run by ONNX Runtime: on the graphics processor where the browser lets it, else by WASM.

import { metadataOf } from "./bundle.js";
import { plane } from "./network_input.js";

const MISSING = "is not beside this page: run web/fetch.sh first.";

/** Loads the model. @returns {facts, run, where}: for `colorize`; where it runs, "WebGPU" or "WASM". */
export async function loadModel() {
  const answer = await fetch("model.onnx");
  if (!answer.ok) throw new Error(`The model ${MISSING}`);
  const file = new Uint8Array(await answer.arrayBuffer());
  const facts = metadataOf(file);
  if (await hasGraphicsProcessor()) {
    try {
      return { facts, where: "WebGPU", run: await session(file, "webgpu", facts) };
    } catch (error) {
      console.warn(`WebGPU cannot run the model, so WASM does: ${error.message}`);
    }
  }
  return { facts, where: "WASM", run: await session(file, "wasm", facts) };
}

/** Not where WebGPU is only simulated: WASM is faster than that. */
async function hasGraphicsProcessor() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}

async function session(file, provider, facts) {
  const ort = await import(`./ort/ort.${provider}.min.mjs`).catch(() => {
    throw new Error(`ONNX Runtime ${MISSING}`);
  });
  ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
  ort.env.logLevel = "error";
  const running = await ort.InferenceSession.create(file, { executionProviders: [provider] });
  const temperature = new ort.Tensor("float32", [facts.temperature], []);
  const run = async ({ height, width, values }) => {
    const lightness = new ort.Tensor("float32", values, [1, 1, height, width]);
    return (await running.run({ lightness, temperature }, ["ab"])).ab.data;
  };
  await run(plane(facts.multiple, facts.multiple)); // what it cannot run shows only here
  return run;
}
