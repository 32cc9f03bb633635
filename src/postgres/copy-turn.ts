/** Something that one at a time may have: whoever takes it waits for those before to give it back. */
export class Turn {
  #last: Promise<void> = Promise.resolve();

  /** Resolves to what gives it back. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let giveBack = (): void => {};
    this.#last = new Promise((resolve) => {
      giveBack = resolve;
    });
    await before;
    return giveBack;
  }
}
