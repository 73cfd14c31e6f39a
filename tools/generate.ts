// `npm run generate`: everything that is made from other sources. Run it after a change of the standard library.

import { embedLibrary } from "./embed-library.ts";

embedLibrary();
