/** Rectangles that may be turned, and whether two of them meet. */

export interface Point {
  x: number;
  y: number;
}

/** Corners in order around it. */
export type Box = readonly [Point, Point, Point, Point];

export function box(left: number, top: number, right: number, bottom: number): Box {
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ];
}

/** Turned clockwise around a point, in degrees. */
export function turned(corners: Box, center: Point, degrees: number): Box {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const turn = ({ x, y }: Point): Point => ({
    x: center.x + (x - center.x) * cos - (y - center.y) * sin,
    y: center.y + (x - center.x) * sin + (y - center.y) * cos,
  });
  const [a, b, c, d] = corners;
  return [turn(a), turn(b), turn(c), turn(d)];
}

/** True if some side of `a` has all of `b` on its other side: the separating axis theorem, one half of it. */
function separates(a: Box, b: Box): boolean {
  for (let i = 0; i < 2; i++) {
    const [from, to] = [a[i]!, a[i + 1]!];
    const along = (p: Point) => p.x * (to.x - from.x) + p.y * (to.y - from.y);
    const [inA, inB] = [a.map(along), b.map(along)];
    if (Math.max(...inA) <= Math.min(...inB) || Math.max(...inB) <= Math.min(...inA)) return true;
  }
  return false;
}

export function meet(a: Box, b: Box): boolean {
  return !separates(a, b) && !separates(b, a);
}

const STRIPE = 100;

/** Boxes, filed under each horizontal stripe of the plane that they touch: only near ones are compared. */
export class Crowd {
  readonly #stripes = new Map<number, Set<Box>>();

  *#stripesOf(corners: Box): Iterable<Set<Box>> {
    const heights = corners.map(({ y }) => Math.floor(y / STRIPE));
    for (let i = Math.min(...heights); i <= Math.max(...heights); i++) {
      const stripe = this.#stripes.get(i) ?? new Set<Box>();
      this.#stripes.set(i, stripe);
      yield stripe;
    }
  }

  add(corners: Box): void {
    for (const stripe of this.#stripesOf(corners)) stripe.add(corners);
  }

  /** `corners` has to be the same object that was added. */
  delete(corners: Box): void {
    for (const stripe of this.#stripesOf(corners)) stripe.delete(corners);
  }

  /** True if one of the crowd meets `corners`. */
  isMetBy(corners: Box): boolean {
    for (const stripe of this.#stripesOf(corners)) for (const other of stripe) if (meet(corners, other)) return true;
    return false;
  }
}
