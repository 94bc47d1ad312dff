"""Small models with random weights and real byte-level BPE tokenizers, written as Transformers writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Rows of every embedding; the tokenizers have fewer tokens.
ROWS = 448

#: ChatML, as short as it can be.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SENTENCES = [
    "I walked to the river in the morning, and it was 7 degrees.",
    "She said that she'd never seen so many birds, not in 1996 nor in 2026.",
    "Blåbærsyltetøy på brødskiva smaker godt om morgenen.",
    "def walk(home): return home + 1  # and back again",
    "We're going home. They'll come later, won't they?",
]


def write_tokenizer(folder: Path, steps: list[Any] | None = None, *, ignore_merges: bool = False) -> None:
    """Train a byte-level BPE on a few sentences; `steps` are its pre-tokenizers, SmolLM's if not given."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    smollm = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps or smollm)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES * 8, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken("<think>", special=False), AddedToken("<|fim|>", special=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write_model(folder: Path, kind: str, dtype: str = "float32", **settings: Any) -> Path:
    """Write a model of Transformers' class `kind`ForCausalLM with random weights, biases and norms too."""
    import torch
    import transformers

    folder.mkdir(exist_ok=True)
    defaults = {
        "vocab_size": ROWS,
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        # Wide enough that attention looks at something in particular: else its order would not matter.
        "initializer_range": 0.08,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    shard = settings.pop("max_shard_size", "1GB")
    config_kind = "Gemma3Text" if kind == "Gemma3" else kind
    config = getattr(transformers, f"{config_kind}Config")(**defaults | settings)
    torch.manual_seed(1)
    model = getattr(transformers, f"{kind}ForCausalLM")(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.normal_(0.0 if name.endswith("bias") else 1.0, 0.2)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)
    return folder
