"""Text encoders: E5's loading code on a tiny XLM-R made here, MiniLM from its package."""

import pytest
import torch
from huggingface_hub import HfApi, constants
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from fgmcaps.common.errors import FgmcapsError, InvalidDataError, MachineError
from fgmcaps.training.encoders import make_text_encoder
from fgmcaps.training.encoders.run import encode_texts
from tests.hub_server.server import HubServer

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "in", "F", "#", "minor", "major", "at", "143", "144", "BPM", "Query:"]
TEXTS = ["in F # minor", "in F minor at 143 BPM", "F"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """XLM-R of width 32 with a word tokenizer."""
    folder = tmp_path_factory.mktemp("e5")
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=40,
        pad_token_id=1,
    )
    XLMRobertaModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tiny):
    made = make_text_encoder("e5", path=str(tiny), dim=32)
    made.setup()
    return made


def test_states_are_the_models_last_hidden_states(tiny, encoder):
    states, mask = encoder.tokens(TEXTS)
    assert states.shape == (3, 8, 32)
    assert mask.sum(1).tolist() == [6, 8, 3]
    assert not states[2, 3:].any()
    ids = torch.tensor([[0, *(WORDS.index(w) for w in TEXTS[1].split()), 2]])
    model = AutoModel.from_pretrained(tiny).eval()
    with torch.no_grad():
        expected = model(input_ids=ids).last_hidden_state[0]
    assert torch.allclose(states[1], expected, atol=1e-5)
    assert encoder.pieces(TEXTS)[2] == ["<s>", "F", "</s>"]


def test_padding_changes_nothing(encoder):
    alone = encoder.tokens([TEXTS[2]])[0][0]
    assert torch.allclose(encoder.tokens(TEXTS)[0][2, :3], alone, atol=1e-5)
    for together, text in zip(encode_texts(encoder, TEXTS, 2), TEXTS, strict=True):
        assert torch.allclose(together, encoder.tokens([text])[0][0], atol=1e-5)


def test_the_instruction_goes_before_and_long_captions_are_cut(tiny):
    made = make_text_encoder("e5", path=str(tiny), dim=32, instruction="Query: ", max_tokens=5)
    made.setup()
    assert made.pieces([TEXTS[0]]) == [["<s>", "Query:", "in", "F", "</s>"]]
    assert made.settings() != make_text_encoder("e5", path=str(tiny), dim=32).settings()


def test_wrong_models_are_refused(tiny, tmp_path):
    with pytest.raises(InvalidDataError, match="width 32, expected 1024"):
        make_text_encoder("e5", path=str(tiny)).setup()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InvalidDataError, match=r"pickles .* are refused"):
        make_text_encoder("e5", path=str(tmp_path), dim=32).setup()
    (tmp_path / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(InvalidDataError, match="cannot be loaded"):
        make_text_encoder("e5", path=str(tmp_path), dim=32).setup()


@pytest.fixture
def hub(tmp_path, monkeypatch, tiny):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    with HubServer(tmp_path / "server") as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        api = HfApi(endpoint=server.url)
        api.create_repo("user/tiny")
        api.upload_folder(repo_id="user/tiny", folder_path=tiny)
        yield server


def test_weights_come_from_the_hub_at_a_commit_and_once(hub, encoder, caplog, monkeypatch):
    made = make_text_encoder("e5", repository="user/tiny", revision="main", dim=32)
    assert len(made.revision) == 40
    made.setup()
    assert "downloading" in caplog.text
    assert "GB" in caplog.text
    assert torch.equal(made.tokens(TEXTS)[0], encoder.tokens(TEXTS)[0])
    before = len(hub.log)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = make_text_encoder("e5", repository="user/tiny", revision=made.revision, dim=32)
    offline.setup()
    assert len(hub.log) == before
    with pytest.raises(MachineError, match=r"no weights of user/other at .* here"):
        make_text_encoder("e5", repository="user/other", dim=32).setup()


def test_an_unknown_model_on_the_hub(hub):
    with pytest.raises(FgmcapsError, match="no such model or revision"):
        make_text_encoder("e5", repository="user/nothing", revision="main", dim=32).setup()


@pytest.mark.slow
def test_minilm_is_the_published_model_and_tells_our_words_apart():
    """Against sentence-transformers' own loading: the mean over tokens is its embedding."""
    from sentence_transformers import SentenceTransformer

    made = make_text_encoder("minilm")
    made.setup()
    texts = ["A track in F# minor.", "A track in F minor.", "at 143 BPM", "at 144 BPM", "Dm7b5", "Dm7"]
    means = torch.stack([s.mean(0) for s in encode_texts(made, texts)])
    ours = torch.nn.functional.normalize(means, dim=1)
    theirs = SentenceTransformer(str(made.folder()), device="cpu").encode(texts, convert_to_tensor=True)
    assert torch.allclose(ours, theirs, atol=1e-4)
    pieces = made.pieces(texts)
    for a, b in ((0, 1), (2, 3), (4, 5)):
        assert pieces[a] != pieces[b]
        assert float(ours[a] @ ours[b]) < 0.99
    assert made.pieces(["CM7"]) == made.pieces(["Cm7"])  # it lower-cases: a limit worth knowing
