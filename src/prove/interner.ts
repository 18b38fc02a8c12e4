/** Gives each different key a number, 0, 1, 2, …, and keeps a value for it: the first that came with it. */
export class Interner<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];

  get count(): number {
    return this.#values.length;
  }

  number(key: string, value: () => T): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#values.length;
    this.#numbers.set(key, number);
    this.#values.push(value());
    return number;
  }

  value(number: number): T {
    return this.#values[number]!;
  }
}
