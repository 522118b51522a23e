/** For tests: a real Git repository. */
export { ScratchRepository as TestRepository } from "../scripts/scratch-repository.ts";
