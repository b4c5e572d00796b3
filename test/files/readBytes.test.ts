import { spawn, spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { readBytes } from "../../src/files/readBytes.ts";
import { encodeSafetensors } from "../../src/parts/safetensors.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const { path: at, write } = temporaryDirectory();
const whole = encodeSafetensors({ w: { shape: [200_000], values: new Float64Array(200_000).fill(1) } });

/** Not with toEqual, which takes minutes for so many bytes. */
const same = (bytes: Uint8Array) => Buffer.from(whole).equals(bytes);

/** A pipe that has a name, in which a shell command writes. */
function pipe(name: string, command: string): string {
  const path = at(name);
  spawnSync("mkfifo", [path]);
  spawn("bash", ["-c", `${command} > ${path}`], { stdio: "ignore" });
  return path;
}

test("files and pipes are read to their end", async () => {
  const path = write("whole", whole);
  expect(same(await readBytes(path))).toBe(true);
  expect(same(await readBytes(pipe("pipe", `cat ${path}`)))).toBe(true);
  expect(same(await readBytes(pipe("slow", `(head -c 5 ${path}; sleep 0.2; tail -c +6 ${path})`)))).toBe(
    true,
  );
});

test("reading waits for the writer of a pipe", async () => {
  const path = at("late");
  spawnSync("mkfifo", [path]);
  const read = readBytes(path);
  setTimeout(() => createWriteStream(path).end(whole), 200);
  expect(same(await read)).toBe(true);
});

test("an endless pipe is read only as far as its header declares", async () => {
  const path = write("beginning", whole);
  const read = await readBytes(pipe("endless", `cat ${path} /dev/zero`));
  expect(read.length).toBeGreaterThan(whole.length);
  expect(read.length).toBeLessThan(whole.length + (1 << 20));
  for (const device of ["zero", "urandom"])
    await expect(readBytes(pipe(device, `cat /dev/${device}`))).rejects.toMatchObject({ code: "MODEL" });
});

test("devices are an error", async () => {
  for (const device of ["/dev/zero", "/dev/urandom", "/dev/null"])
    await expect(readBytes(device)).rejects.toThrow(`${device} is a device: expected a file or a pipe.`);
  await expect(readBytes(dirname(at("x")))).rejects.toThrow("is a directory: expected a file.");
});

test("a path that is not a string is an error", async () => {
  await expect(readBytes(undefined as never)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the path of a file is not a string: expected a path, such as "model.safetensors", received nothing.]`,
  );
});
