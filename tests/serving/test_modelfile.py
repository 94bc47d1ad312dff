from __future__ import annotations

from idiolect.serving import modelfile


def test_a_modelfile_names_the_file_the_stop_and_the_system() -> None:
    assert modelfile("adapter.gguf", "You are Ada.", "<|im_end|>") == (
        'FROM ./adapter.gguf\nPARAMETER stop "<|im_end|>"\nSYSTEM """You are Ada."""\n'
    )


def test_what_a_modelfile_cannot_hold_is_changed_and_nothing_is_left_out() -> None:
    assert "SYSTEM \"\"\"Say '''hi'''.\"\"\"" in modelfile("a.gguf", 'Say """hi""".', "x")
    assert "SYSTEM" not in modelfile("a.gguf", "", "x")
