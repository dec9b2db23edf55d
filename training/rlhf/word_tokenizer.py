"""A tokenizer for small worlds: every frequent word of the corpus is one token, everything else falls back to bytes.

Sub-word pieces cost a small model much: it composes words that do not exist ("siardarket"). Byte-level BPE would need
the pieces of every merge in the vocabulary, two to three times the rows of the embedding; here the vocabulary is the
256 bytes and the words, matched longest first, and still any text can be encoded and decoded without loss.

A word has one form whether it begins a line or stands within one: a space is set before every line and taken away
again in decoding. So "yellow" as a one-word answer is the same token as in "A lemon is yellow".
"""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
PAD = "<|pad|>"


def train_word_tokenizer(texts: Iterable[str], min_count: int, vocab_size: int) -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are the bytes, the words seen at least `min_count` times, an end mark and a pad mark.

    At most `vocab_size` tokens: the most frequent words win. The end mark also begins a text; pad is another token,
    because a model that is trained to ignore its padding must still learn to end.
    """
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    # A newline at the end of a piece gets no space: the piece that is put after it brings its own.
    one_form = normalizers.Sequence([normalizers.Prepend(" "), normalizers.Replace(Regex("\\n(?=[^\\n])"), "\n ")])

    counter = Tokenizer(models.WordLevel(unk_token=END_OF_TEXT))
    counter.normalizer, counter.pre_tokenizer = one_form, splitter
    special = [END_OF_TEXT, PAD]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    room = max(vocab_size - len(alphabet), len(special))
    counter.train_from_iterator(
        texts,
        trainers.WordLevelTrainer(
            vocab_size=room, min_frequency=min_count, special_tokens=special, show_progress=False
        ),
    )
    words = sorted(counter.get_vocab(), key=counter.get_vocab().__getitem__)
    vocab = {token: index for index, token in enumerate(dict.fromkeys(special + alphabet + words))}

    # With an empty prefix for continuations WordPiece is a longest match first over words and bytes. No word is too
    # long for it, because a byte always matches.
    matcher = models.WordPiece(
        vocab, unk_token=END_OF_TEXT, continuing_subword_prefix="", max_input_chars_per_word=1_000_000
    )
    tokenizer = Tokenizer(matcher)
    tokenizer.normalizer, tokenizer.pre_tokenizer = one_form, splitter
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteLevel(), decoders.Replace("\n ", "\n"), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, pad_token=PAD
    )
