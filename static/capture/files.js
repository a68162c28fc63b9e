// What can be known of a file before it is sent: its kind, its size in bytes and pixels, and what its name suggests.
"use strict";

(() => {
  const HEAD_BYTES = 256 * 1024;
  const START_OF_FRAME = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);

  const CAMERA_WORDS = ["img", "image", "dsc", "dscn", "dscf", "pict", "pic", "photo", "scan", "fundus", "retina", "eye", "copy"];
  const DATE_AND_TIME = /(?<!\d)(19|20)\d{2}[-_.]?\d{2}[-_.]?\d{2}([-_ T.]*\d{2}[-_.:]?\d{2}([-_.:]?\d{2})?)?(?!\d)/gu;
  const RANDOM_ID = /(?<![\p{L}\p{N}])(?=\p{N}*\p{L})(?=\p{L}*\p{N})[0-9a-f]{8}(-?[0-9a-f]{4}){0,6}[0-9a-f]*(?![\p{L}\p{N}])/giu;

  const DICOM_UID = /(?<!\d)\d+(\.\d+){5,}/gu;
  const DICOM_COUNTER = /^(im|dcm)\d+$/u; // as in IM000001

  // Lower case, without accents, as in ml/eye_names.py: digits, underscores and signs separate words.
  function wordsOf(text) {
    return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/\p{L}+/gu) || [];
  }

  // The key whose words the name of a file has; null for none and for several.
  function keyInName(fileName, wordsOfKey) {
    const words = new Set(wordsOf(fileName.replace(/\.[^.]*$/, "")));
    const found = Object.keys(wordsOfKey).filter((key) => wordsOfKey[key].flatMap(wordsOf).some((word) => words.has(word)));
    return found.length === 1 ? found[0] : null;
  }

  // What is left of a name without extension, dates, times, counters, eyes, fields and names of cameras: a name or number of
  // a person if the file has one.
  function personInName(fileName, ...wordsOfKeys) {
    const known = new Set([...CAMERA_WORDS, ...wordsOfKeys.flatMap((one) => Object.values(one).flat().flatMap(wordsOf))]);
    const tokens = fileName.replace(/\.[^.]*$/, "").replace(DICOM_UID, " ").replace(DATE_AND_TIME, " ").replace(RANDOM_ID, " ")
      .normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    if (/^\d+$/.test(tokens.at(-1) || "")) tokens.pop(); // a counter
    return tokens.filter((token) => !known.has(token.replace(/\d+$/, "")) && !DICOM_COUNTER.test(token)).join(" ");
  }

  // A DICOM file without preamble begins with an element of group 0002 or 0008, as in ml/serving/files/formats.py.
  function isDataElement(bytes) {
    return bytes.length > 16 && (bytes[0] === 2 || bytes[0] === 8) && !bytes[1] && !bytes[3];
  }

  function kindOf(bytes) {
    const startsWith = (...values) => values.every((value, i) => bytes[i] === value);
    const text = (from, to) => String.fromCharCode(...bytes.slice(from, to));
    if (text(128, 132) === "DICM") return "dicom"; // first: what is before it may be the head of a TIFF
    if (startsWith(0xff, 0xd8, 0xff)) return "jpeg";
    if (startsWith(0x89, 0x50, 0x4e, 0x47)) return "png";
    if (["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(text(0, 4))) return "tiff";
    if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "webp";
    if (isDataElement(bytes)) return "dicom";
    return startsWith(0x50, 0x4b, 0x03, 0x04) || startsWith(0x50, 0x4b, 0x05, 0x06) ? "zip" : "";
  }

  // Width times height from the header of a PNG or JPEG; 0 if it is not found: then the server decides.
  function pixelsOf(kind, bytes) {
    const view = new DataView(bytes.buffer);
    if (kind === "png" && bytes.length > 24) return view.getUint32(16) * view.getUint32(20);
    if (kind !== "jpeg") return 0;
    for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
      if (START_OF_FRAME.has(bytes[at + 1])) return view.getUint16(at + 5) * view.getUint16(at + 7);
      at += bytes[at + 1] === 0xff ? 1 : 2 + view.getUint16(at + 2);
    }
    return 0;
  }

  // Kind of a file, and the name of the reason why it need not be sent; the server checks it again.
  async function check(file, limits) {
    if (!file.size) return { kind: "", refusal: "empty" };
    const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    const kind = kindOf(bytes);
    if (!kind) return { kind, refusal: "not_a_photograph" };
    if (file.size > limits.maxBytes) return { kind, refusal: "too_large" };
    return { kind, refusal: pixelsOf(kind, bytes) > limits.maxPixels ? "too_many_pixels" : "" };
  }

  function sizeText(blob) {
    const sizeMb = blob.size / 1e6;
    return sizeMb < 1 ? `${Math.ceil(sizeMb * 1e3)} kB` : `${window.decimalText(sizeMb)} MB`;
  }

  async function paintPreview(canvas, blob) {
    try {
      const options = { imageOrientation: "from-image", resizeWidth: 192, resizeQuality: "medium" };
      const bitmap = await createImageBitmap(blob, options);
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      canvas.setAttribute("aria-label", canvas.dataset.preview);
      delete canvas.dataset.isBlank;
    } catch {
      // A TIFF, a DICOM file, an archive, or not an image. The server decides.
      canvas.setAttribute("aria-label", canvas.dataset.noPreview);
      canvas.dataset.isBlank = "";
    }
  }

  Object.assign(window.capture, { check, keyInName, paintPreview, personInName, sizeText });
})();
