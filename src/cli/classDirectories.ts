/** Characters that a file name cannot have: on Windows also others than "/" and NUL, and a dot or a space at the end. */
const forbidden = (platform: string): RegExp =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: file names of Windows cannot have control characters.
  platform === "win32" ? /[<>:"/\\|?*\x00-\x1f]|[. ]$/g : /[/\0]/g;

/**
 * A directory name for each class: the name of the class, with "_" in place of characters that a file name cannot have, and of dots at the
 * beginning, since hidden directories are not read. A number is added to a name that another class has.
 */
export function classDirectories(classes: readonly string[], platform: string = process.platform): string[] {
  const possible = classes.map((name) => name.replace(forbidden(platform), "_").replace(/^\.+/, "_") || "_");
  // The file systems of Windows and macOS do not distinguish upper and lower case.
  const key = (name: string) => (["win32", "darwin"].includes(platform) ? name.toLowerCase() : name);
  const taken = new Set<string>();
  const directories = [...possible];
  // A class whose name is possible keeps it.
  const isChanged = (i: number) => Number(possible[i] !== classes[i]);
  for (const i of [...classes.keys()].sort((a, b) => isChanged(a) - isChanged(b))) {
    for (let n = 2; taken.has(key(directories[i]!)); n++) directories[i] = `${possible[i]}_${n}`;
    taken.add(key(directories[i]!));
  }
  return directories;
}
