/** The hosts, or the processes, of a run by the names that its story gave them. */
export class Cast<T extends { readonly name: string }> extends Map<string, T> {
  /** `what` they are, for messages: "host". */
  constructor(private readonly what: string) {
    super();
  }

  enter(one: T): void {
    if (this.has(one.name)) throw new TypeError(`there is a ${this.what} ${one.name} already`);
    this.set(one.name, one);
  }

  named(name: string): T {
    const one = this.get(name);
    if (!one) throw new TypeError(`there is no ${this.what} ${name}`);
    return one;
  }
}
