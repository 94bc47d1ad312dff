from __future__ import annotations

from idiolect.serving import modelfile


def test_a_modelfile_names_the_file_the_stop_and_the_system() -> None:
    assert modelfile("adapter.gguf", "You are Ada.", "<|im_end|>", "{{ .Prompt }}") == (
        'FROM ./adapter.gguf\nPARAMETER stop "<|im_end|>"\nTEMPLATE {{ .Prompt }}\nSYSTEM """You are Ada."""\n'
    )


def test_only_what_would_end_the_text_too_early_is_changed() -> None:
    assert 'SYSTEM """Say """hi"""."""\n' in modelfile("a.gguf", 'Say """hi""".', "x")
    assert 'SYSTEM """Say \'\'\'\nhi"""\n' in modelfile("a.gguf", 'Say """\nhi', "x")
    assert "SYSTEM" not in modelfile("a.gguf", "", "x")
    assert "TEMPLATE" not in modelfile("a.gguf", "", "x")
