// A folder of images as a table: folders in it are classes. Files are decoded when a batch asks for them, so that there may be more of
// them than memory holds.

import type { BoundData } from "../../dsl/data-arguments.ts";
import type { DataCall } from "../../dsl/training-plan.ts";
import { drawPicture, isPicture, readPicture } from "../../formats/image.ts";
import { DataError } from "./data-error.ts";
import { type Column, type ComputedColumn, type Dataset, datasetOf } from "./dataset.ts";
import type { DataFiles } from "./files.ts";

export async function readImages(
  call: DataCall,
  { folder, size, channels = 3 }: BoundData["values"],
  { list, open }: DataFiles,
): Promise<Dataset> {
  const place = String(folder);
  if (!list || !open) throw new DataError(call, "folders of images need a file system", "use npy, or rows");
  if (channels !== 1 && channels !== 3)
    throw new DataError(call, `images with ${channels} channels are not known`, "take 1 for grey, or 3 for colours");
  const names = (await list(place)).filter(isPicture);
  const [first] = names;
  if (first === undefined) {
    throw new DataError(
      call,
      `there are no PNG or JPEG files in ${place}`,
      "put the images of a class into a folder in it",
    );
  }
  const picture = (name: string) => {
    const file = open(`${place}/${name}`, true)!;
    return { path: file.path, ...readPicture(file.read(0, file.size), file.path) };
  };
  const given = Array.isArray(size) ? size.map(Number) : size === undefined ? undefined : [Number(size), Number(size)];
  const model = picture(first);
  const [height = model.height, width = model.width] = given ?? [];
  const wanted = { height, width, channels };
  const fill: ComputedColumn["fill"] = (rows, into) => {
    for (let i = 0; i < rows.length; i++) {
      const found = picture(names[rows[i]!]!);
      if (!given && (found.height !== height || found.width !== width)) {
        const what = `${found.path} has ${found.height}×${found.width} points, but ${model.path} has ${height}×${width}`;
        throw new DataError(call, what, `bring all to one size: images("${place}", size: [${height}, ${width}])`);
      }
      drawPicture(found, wanted, into.subarray(i * height * width * channels));
    }
  };
  const image: Column = { dtype: "f32", shape: [names.length, height, width, channels], fill };
  const folders = names.map((name) => name.split("/").slice(0, -1).join("/"));
  const classes = [...new Set(folders)].sort();
  if (classes.length === 1 && classes[0] === "") return datasetOf(call, { image });
  const loose = names[folders.indexOf("")];
  if (loose !== undefined)
    throw new DataError(call, `${place}/${loose} lies beside the folders of classes`, "put it into one of them");
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const data = Int32Array.from(folders, (name) => numbers.get(name)!);
  return datasetOf(call, { image, label: { dtype: "i32", shape: [names.length], data } }, { label: classes });
}
