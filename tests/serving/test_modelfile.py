from __future__ import annotations

from idiolect.serving import modelfile, ollama


def test_a_modelfile_names_the_file_how_it_is_asked_and_the_system() -> None:
    assert modelfile("adapter.gguf", "You are Ada.", ollama.parameters("<|im_end|>", 1024), "{{ .Prompt }}") == (
        "FROM ./adapter.gguf\n"
        'PARAMETER stop "<|im_end|>"\n'
        "PARAMETER temperature 0.7\n"
        "PARAMETER top_k 40\n"
        "PARAMETER top_p 0.9\n"
        "PARAMETER min_p 0.05\n"
        "PARAMETER repeat_penalty 1.1\n"
        "PARAMETER repeat_last_n 64\n"
        "PARAMETER num_predict 256\n"
        "PARAMETER num_ctx 1024\n"
        'TEMPLATE {{ .Prompt }}\nSYSTEM """You are Ada."""\n'
    )


def test_only_what_would_end_the_text_too_early_is_changed() -> None:
    assert 'SYSTEM """Say """hi"""."""\n' in modelfile("a.gguf", 'Say """hi""".', {})
    assert 'SYSTEM """Say \'\'\'\nhi"""\n' in modelfile("a.gguf", 'Say """\nhi', {})
    assert "SYSTEM" not in modelfile("a.gguf", "", {})
    assert "TEMPLATE" not in modelfile("a.gguf", "", {})
