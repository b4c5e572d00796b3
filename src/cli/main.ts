#!/usr/bin/env node
import { supervise } from "./supervisor.ts";

await supervise(process.argv.slice(2));
