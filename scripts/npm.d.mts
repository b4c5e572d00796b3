export function pack(source: string, folder: string): string;
