/** The system clipboard, and a copy of our own for browsers that do not let us read theirs. */
let own = ''

export function writeClipboard(text: string): void {
  own = text
  // Refused (no permission, not a secure page): our own copy still serves this tab.
  void navigator.clipboard?.writeText(text).catch(() => undefined)
}

export async function readClipboard(): Promise<string> {
  try {
    return (await navigator.clipboard.readText()) || own
  } catch {
    return own
  }
}
