/**
 * Runs the protocol of a paper on its data and prints a table, the paper's numbers beside ours; writes the protocol's
 * section of bench/papers/RESULTS.md, and its numbers as JSON beside it. `--quick` is a smoke run and writes nothing.
 *
 *     npm run bench:papers -- NAME --data DIRECTORY [--seed S] [--minutes M] [--only PATTERN] [--quick]
 */
import { parseArgs } from "node:util";
import { protocols } from "./papers/protocols.ts";
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
const names = protocols.map(({ name }) => name).join(", ");
const protocol = protocols.find(({ name }) => name === positionals[0]);
if (!protocol) throw new Error(`Which protocol? Received ${positionals[0] ?? "none"}; there are ${names}.`);
if (protocol.readsData && !values.data)
  throw new Error(`--data DIRECTORY: where the files of ${protocol.name} are`);

// Of the code that runs, even where commits are made meanwhile.
const { date, commit, processor, node } = environmentOf([]);
const outcome = await protocol.run({
  data: values.data ?? "",
  seed: Number(values.seed),
  quick: values.quick,
  only: values.only ? new RegExp(values.only) : /(?:)/,
  ...(values.minutes !== undefined && { minutes: Number(values.minutes) }),
  log: (line) => console.error(line),
});
console.log(outcome.text);
if (!values.quick && !values.only) {
  const { user, system } = process.cpuUsage();
  const minutes = `${((user + system) / 60e6).toFixed(0)} minutes of processor time`;
  const place = `${processor}, Node ${node.replace(/^v/, "")}`;
  writeResults(protocol, outcome, `${date}, commit ${commit}, ${place}, seed ${values.seed}, ${minutes}`);
}
