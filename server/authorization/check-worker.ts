/** The inside of the thread that checks strangers' policies: one document at a time, told what to check against at start. */
import { parentPort, workerData } from "node:worker_threads";
import type { PolicyDocument } from "../../contracts/policy/policy-document.ts";
import { openEngine } from "./cedar-engine.ts";
import type { PolicyVocabulary } from "./cedar-schema.ts";
import { checkDocument } from "./check-document.ts";
import type { FromWorker } from "./policy-check-thread.ts";

if (!parentPort) throw new Error("this file is the inside of a thread");
const port = parentPort;
const vocabulary = workerData as PolicyVocabulary;
const tell = (message: FromWorker) => port.postMessage(message);

port.on("message", (document: PolicyDocument) => tell({ checked: checkDocument(vocabulary, document) }));
openEngine(); // the first one takes long: a document's time limit shall not pay for it
tell("ready");
