/**
 * Runs the protocol of a paper on its data, and prints a table that compares the paper's numbers with pushforward's. Writes
 * the protocol's section of bench/papers/RESULTS.md, and the numbers to bench/papers/NAME.json. `--quick`, a smoke test, and `--only`, which
 * runs the data sets or models whose names match, write no files.
 *
 *     npm run bench:papers -- NAME --data DIRECTORY [--seed S] [--minutes M] [--only PATTERN] [--quick]
 */
import { parseArgs } from "node:util";
import { protocolNamed } from "./papers/protocols.ts";
import { writeResults } from "./papers/results.ts";
import { environmentOf } from "./speed/machine.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    seed: { type: "string", default: "0" },
    minutes: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const protocol = protocolNamed(positionals[0]);
if (protocol.needsData && !values.data)
  throw new Error(`--data DIRECTORY is required: the directory that contains the files of ${protocol.name}`);
const only = values.only ? new RegExp(values.only) : /(?:)/;
if (!protocol.names.some((name) => only.test(name)))
  throw new Error(`nothing matches --only ${values.only}; there are:\n${protocol.names.join("\n")}`);

// Read before the run, since the commit may change while it runs.
const { date, commit, processor, node } = environmentOf([]);
const result = await protocol.run({
  data: values.data ?? "",
  seed: Number(values.seed),
  quick: values.quick,
  only,
  ...(values.minutes !== undefined && { minutes: Number(values.minutes) }),
  log: (line) => console.error(line),
});
console.log(result.text);
if (values.quick || values.only) {
  console.error("No files were written, since --quick and --only run a part of the protocol.");
} else {
  const { user, system } = process.cpuUsage();
  const minutes = `${((user + system) / 60e6).toFixed(0)} minutes of processor time`;
  const machine = `${processor}, Node ${node.replace(/^v/, "")}`;
  const limit = values.minutes ? `, at most ${values.minutes} minutes for each training run` : "";
  const environment = `${date}, commit ${commit}, ${machine}, seed ${values.seed}, ${minutes}${limit}`;
  writeResults(protocol, result, environment);
}
