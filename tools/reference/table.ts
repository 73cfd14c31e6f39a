// The table of operations of the reference, by family: for each a recipe that writes a program, or says why there is none.

import { activations } from "./activations.ts";
import { attentions } from "./attention.ts";
import type { ReferenceCase } from "./case.ts";
import { contractions } from "./contractions.ts";
import { elementwise } from "./elementwise.ts";
import { losses } from "./losses.ts";
import { models } from "./models.ts";
import { movement } from "./movement.ts";
import { normalization } from "./normalization.ts";
import { clipping, optimizers } from "./optimizers.ts";
import { pooling } from "./pooling.ts";
import { missing, type Program, type Recipe } from "./program.ts";
import { reductions } from "./reductions.ts";
import { schedules } from "./schedules.ts";

const families: readonly Readonly<Record<string, Recipe>>[] = [
  elementwise,
  activations,
  reductions,
  movement,
  contractions,
  pooling,
  normalization,
  losses,
  optimizers,
  schedules,
  clipping,
  attentions,
  models,
];

const recipes: ReadonlyMap<string, Recipe> = new Map(families.flatMap((family) => Object.entries(family)));

/** The program of a case; `missing` where the table or the language has nothing for it. */
export function programFor(c: ReferenceCase): Program {
  const recipe = recipes.get(c.operation);
  return recipe ? recipe(c) : missing("this operation is not in the table");
}
