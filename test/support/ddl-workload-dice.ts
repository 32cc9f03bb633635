/** Numbers that follow from a seed alone (mulberry32): a step of a plan draws as many as it needs. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `below` - 1. */
  nat(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  }

  chance(percent: number): boolean {
    return this.nat(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    const picked = this.find(list);
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** One of them, undefined where there is none. */
  find<T>(list: readonly T[]): T | undefined {
    return list[this.nat(Math.max(1, list.length))];
  }

  /** So many different ones of them at most, in their order. */
  some<T>(list: readonly T[], most: number): T[] {
    const left = [...list.keys()];
    const chosen: number[] = [];
    while (chosen.length < most && left.length > 0) chosen.push(...left.splice(this.nat(left.length), 1));
    return chosen.sort((a, b) => a - b).flatMap((i) => list[i] ?? []);
  }

  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list];
    const mixed: T[] = [];
    while (left.length > 0) mixed.push(...left.splice(this.nat(left.length), 1));
    return mixed;
  }

  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.nat(list.reduce((sum, { weight }) => sum + weight, 0));
    for (const one of list) {
      left -= one.weight;
      if (left < 0) return one;
    }
    throw new Error('nothing to pick from');
  }
}
