// Dimensions as JavaScript: polynomials in the free sizes become plain arithmetic.

import type { Dim, Factor, Term } from "../../ir/dim.ts";

/** `size` gives the identifier of a free size. The text can stand beside any operator but a product's. */
export function renderDim(dim: Dim, size: (name: string) => string, scale = 1): string {
  if (typeof dim === "number") return String(dim * scale);
  return dim.terms
    .map((term, i) => {
      const text = renderTerm(term, size, scale);
      if (i === 0) return text;
      return text.startsWith("-") ? ` - ${text.slice(1)}` : ` + ${text}`;
    })
    .join("");
}

function renderTerm(term: Term, size: (name: string) => string, scale: number): string {
  const coefficient = term.coefficient * scale;
  const factors = term.factors.map((factor) => renderFactor(factor, size));
  if (factors.length === 0) return String(coefficient);
  if (coefficient === 1) return factors.join(" * ");
  return [...factors, ""]
    .join(" * ")
    .replace(/ \* $/, "")
    .replace(/^/, coefficient === -1 ? "-" : `${coefficient} * `);
}

const renderFactor = (factor: Factor, size: (name: string) => string): string =>
  typeof factor === "string" ? size(factor) : `Math.floor((${renderDim(factor.numerator, size)}) / ${factor.divisor})`;
