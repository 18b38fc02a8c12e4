/** A thread that helps a search. */
import { workerData } from "node:worker_threads";
import { help, type Shared } from "../prove/helper.ts";

help(workerData as Shared);
