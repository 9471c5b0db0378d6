#!/usr/bin/env bash
# Puts beside the page what it runs: ONNX Runtime for the web, from npm, and a model.
#   web/fetch.sh [MODEL.onnx]      the bundled one where none is given
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=${1:-$here/../src/tintype/models/bundled.onnx}
version=1.30.0
sha256=d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71

[ -f "$model" ] || { echo "$model: no such model" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$work/onnxruntime-web-$version.tgz
npm pack --loglevel=error --pack-destination "$work" "onnxruntime-web@$version" >/dev/null
hash='require("crypto").createHash("sha256").update(require("fs").readFileSync(process.argv[1])).digest("hex")'
[ "$(node -p "$hash" "$package")" = "$sha256" ] || { echo "$package: not the package that this page was made with" >&2; exit 1; }
tar -xzf "$package" -C "$work"
mkdir -p "$here/ort"
for name in ort.wasm.min.mjs ort-wasm-simd-threaded.{mjs,wasm} ort.webgpu.min.mjs ort-wasm-simd-threaded.asyncify.{mjs,wasm}; do
    cp "$work/package/dist/$name" "$here/ort/"
done
cp "$model" "$here/model.onnx"
echo "ready: python3 -m http.server --bind 127.0.0.1 --directory $here"
