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
