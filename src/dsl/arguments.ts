// Which argument of a call goes to which parameter.

import type { Parameter } from "./ast.ts";
import { type Context, mistake } from "./context.ts";
import { helpFor } from "./other-names.ts";
import type { GivenArgument } from "./values.ts";

export interface ParameterInfo {
  readonly name: string;
  readonly optional: boolean;
}

export const parameterInfo = ({ name, default: fallback }: Parameter): ParameterInfo => ({
  name: name.name,
  optional: fallback !== undefined,
});

interface BoundArguments {
  readonly bound: Map<string, GivenArgument>;
  readonly rest: readonly GivenArgument[];
}

/** Which argument goes to which parameter; `rest` says whether further named or positional ones are taken. */
export function bindArguments(
  c: Context,
  callee: string,
  parameters: readonly ParameterInfo[],
  given: readonly GivenArgument[],
  rest: "named" | "positional" | undefined,
): BoundArguments {
  const bound = new Map<string, GivenArgument>();
  const further: GivenArgument[] = [];
  const names = parameters.map((parameter) => parameter.name);
  const known = names.length > 0 ? `${callee} takes ${names.join(", ")}` : `${callee} takes no arguments`;
  let position = 0;
  for (const argument of given) {
    const { place } = argument;
    const name = argument.name ?? parameters[position]?.name;
    if (argument.name === undefined) position++;
    if (name === undefined) {
      if (rest !== "positional")
        throw mistake(c, "argument", `${callee} gets too many arguments`, { place, help: known });
      further.push(argument);
    } else if (!names.includes(name)) {
      if (rest !== "named") {
        throw mistake(c, "argument", `${callee} has no parameter ${name}`, {
          place,
          help: helpFor(name, names, known),
        });
      }
      further.push(argument);
    } else if (bound.has(name)) throw mistake(c, "argument", `${callee} gets ${name} twice`, { place });
    else bound.set(name, argument);
  }
  const missing = parameters.filter(({ name, optional }) => !optional && !bound.has(name));
  if (missing.length > 0) {
    const list = missing.map(({ name }) => name).join(" and ");
    throw mistake(c, "argument", `${callee} needs its argument${missing.length > 1 ? "s" : ""} ${list}`, {
      help: known,
    });
  }
  return { bound, rest: further };
}
