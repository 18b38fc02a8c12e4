import type { Question } from "../../src/prove/question.ts";
import { ASSUMPTIONS, QUESTIONS } from "../../src/prove/questions.ts";

/** A named question, with all assumptions or without one of them. */
export function questionOf(id: string, without?: string): Question {
  const { question } = QUESTIONS.find((named) => named.id === id)!;
  return without === undefined ? question : ASSUMPTIONS.find((one) => one.id === without)!.drop(question);
}
