// `npm run generate`: everything that is made from other sources. Run it after a change of the standard library.

import { documentData } from "./document-data.ts";
import { documentOperations } from "./document-operations.ts";
import { documentPasses } from "./document-passes.ts";
import { embedLibrary } from "./embed-library.ts";
import { embedRuntime } from "./embed-runtime.ts";

embedLibrary();
await embedRuntime();
// These read the library as it was embedded just now.
const { generateWrappers } = await import("./generate-wrappers.ts");
const { generateLibraryDocs } = await import("./generate-library-docs.ts");
await generateWrappers();
generateLibraryDocs();
documentData();
documentOperations();
documentPasses();
