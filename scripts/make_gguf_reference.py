"""Makes tests/export/reference.json: what llama.cpp's own tools make of the recipes in tests/export/reference.py.

    python -m scripts.make_gguf_reference LLAMA_CPP LLAMA_QUANTIZE

Each model is merged with its adapter by PEFT in float32, converted to an F32 GGUF by llama.cpp's
convert_hf_to_gguf.py, and quantized by its llama-quantize, some with an importance matrix. LLAMA_CPP is the folder of
llama.cpp's source, which also lies in the source package of llama-cpp-python on PyPI, and LLAMA_QUANTIZE the program
built from it:

    pip download --no-binary :all: --no-deps llama-cpp-python==0.3.36
    tar xzf llama_cpp_python-0.3.36.tar.gz
    cmake -S llama_cpp_python-0.3.36/vendor/llama.cpp -B build -DBUILD_SHARED_LIBS=OFF -DLLAMA_BUILD_SERVER=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=OFF
    cmake --build build --target llama-quantize

Needs the environment of `make setup`.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.export.reference import (
    CONVERT,
    RECIPES,
    REFERENCE,
    fingerprint,
    header,
    rope_freqs,
    write_adapter,
    write_base,
    write_imatrix,
    write_importance,
)

#: The source that reference.json is made of. With another one, look at what has changed in it before changing this.
LLAMA_CPP_VERSION = "0.5.0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("llama_cpp", type=Path, metavar="LLAMA_CPP")
    parser.add_argument("llama_quantize", type=Path, metavar="LLAMA_QUANTIZE")
    parser.add_argument("--only", action="append", metavar="RECIPE", help="keep what is there of the others")
    arguments = parser.parse_args()
    found = source_version(arguments.llama_cpp)
    if found != LLAMA_CPP_VERSION:
        parser.error(f"{arguments.llama_cpp} is llama.cpp {found}; this is for {LLAMA_CPP_VERSION}.")
    hashes = json.loads(REFERENCE.read_bytes())["recipes"] if arguments.only else {}
    for name in arguments.only or RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            hashes[name] = made(name, Path(folder), arguments.llama_cpp, arguments.llama_quantize)
        print(name)
    versions = {"llama.cpp": found} | {part: version(part) for part in ("numpy", "peft", "torch", "transformers")}
    REFERENCE.write_text(json.dumps({"made_with": versions, "recipes": hashes}, indent=1) + "\n")


def source_version(llama_cpp: Path) -> str:
    text = (llama_cpp / "CMakeLists.txt").read_text()
    return ".".join(re.findall(r"set\(LLAMA_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)\)", text))


def made(name: str, folder: Path, llama_cpp: Path, llama_quantize: Path) -> Mapping[str, Any]:
    """Return the fingerprints of one recipe's files, by quantization, and what is in all of them."""
    base = write_base(name, folder / "base")
    adapter = write_adapter(name, base, folder / "adapter")
    model = merged(base, adapter, folder / "merged") if adapter else base
    weighing = imatrix(name, base, folder)
    whole = folder / "f32.gguf"
    command = [sys.executable, "-c", CONVERT, str(llama_cpp), str(model), "--outtype", "f32", "--outfile", str(whole)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found: dict[str, Any] = {"header": header(whole), "rope_freqs": rope_freqs(whole)}
    for quantization in RECIPES[name].quantizations:
        quantized = folder / f"{quantization}.gguf"
        command = [str(llama_quantize), *weighing, str(whole), str(quantized), quantization, "1"]
        subprocess.run(command, check=True, capture_output=True)
        found[quantization] = fingerprint(quantized)
    return found


def imatrix(name: str, base: Path, folder: Path) -> list[str]:
    """Return what llama-quantize must be told to use the recipe's importance matrix, if it has one."""
    importance = write_importance(name, base, folder / "importance.safetensors")
    if importance is None:
        return []
    write_imatrix(importance, RECIPES[name].settings["num_hidden_layers"], folder / "imatrix.dat")
    return ["--imatrix", str(folder / "imatrix.dat")]


def merged(base: Path, adapter: Path, target: Path) -> Path:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(target)
    AutoTokenizer.from_pretrained(base).save_pretrained(target)
    return target


if __name__ == "__main__":
    main()
