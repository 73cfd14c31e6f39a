// Unpacks Chromium and what belongs to it into the folder for temporary files; see chromium.ts.

import chromium from "@sparticuz/chromium";

await chromium.executablePath();
