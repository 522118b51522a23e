/** Notes the last use of tokens, behind the calls: no call waits for it or fails with it. */
export interface TokenUse extends AsyncDisposable {
  note(tokenId: string): void;
  /** Writes what is noted. Never rejects. */
  flush(): Promise<void>;
}

export interface TokenUseOptions {
  /** How long uses are gathered before they are written in one go. */
  readonly gatherMs?: number;
  /** For the log alone. */
  readonly report: (error: unknown) => void;
}

/** `touch` writes the use of these tokens in one statement. Dispose of it to write what is left. */
export function createTokenUse(
  touch: (tokenIds: readonly string[]) => Promise<void>,
  { gatherMs = 5_000, report }: TokenUseOptions,
): TokenUse {
  const noted = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (!noted.size) return;
    const tokenIds = [...noted];
    noted.clear();
    // a use that could not be written is noted again with the next call
    await touch(tokenIds).catch(report);
  };

  return {
    note(tokenId) {
      noted.add(tokenId);
      timer ??= setTimeout(() => void flush(), gatherMs).unref();
    },
    flush,
    [Symbol.asyncDispose]: flush,
  };
}
