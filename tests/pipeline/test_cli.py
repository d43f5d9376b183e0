"""The command line: every wrong command or input ends with one line and its exit code, before any work."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from fgmcaps.pipeline.build.output_folder import BuildIdentity, OutputFolder
from fgmcaps.pipeline.cli import COMMANDS, main
from tests.pipeline.inputs import write_wav


@pytest.fixture
def music(tmp_path):
    for i in range(2):
        write_wav(tmp_path / "music" / f"{i}.wav", seed=i)
    return tmp_path / "music"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def fgmcaps(*args):
    return CliRunner().invoke(main, list(map(str, args)))


def refused(*args, code=2):
    """The one line of a refusal."""
    result = fgmcaps(*args)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("fgmcaps: "), result.stderr
    return lines[0]


# What is refused as INPUT: nothing is created.


def test_an_empty_folder(tmp_path, out):
    (tmp_path / "music").mkdir()
    assert "it is empty" in refused("build", tmp_path / "music", out, code=3)
    assert not out.exists()


def test_a_folder_without_audio_says_what_it_holds(tmp_path, out):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "cover.jpg").touch()
    assert "1 x .jpg" in refused("build", tmp_path / "music", out, code=3)
    assert not out.exists()


@pytest.mark.parametrize("name", ["nothing", "nothing.csv", "a\nb [/x] \udcff"])
def test_a_missing_input(tmp_path, out, name):
    assert "no such input" in refused("build", tmp_path / name, out)
    assert not out.exists()


def test_a_single_audio_file(music, out):
    assert "annotate-file" in refused("build", music / "0.wav", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.csv", "title\nx\n", ["m.csv", "line 2", "'path'", "title"]),
        ("m.csv", "path,split\n0.wav,trian\n", ["line 2", "'trian'", "'train'"]),
        ("m.csv", "path,title\n0.wav,a,b\n", ["line 2", "more values"]),
        ("m.jsonl", '{"path": "0.wav"}\n{"path"\n', ["m.jsonl", "line 2"]),
        ("m.csv", "path,artist,split\n0.wav,Ann,train\n1.wav,ann,test\n", ["artist 'ann'", "0.wav", "1.wav"]),
        ("m.parquet", "PAR1", ["m.parquet"]),
        ("m.txt", "0.wav", ["m.txt", ".jsonl"]),
    ],
)
def test_a_manifest_that_is_wrong(music, out, name, content, words):
    (music / name).write_text(content)
    line = refused("build", music / name, out)
    assert all(word in line for word in words), line
    assert not out.exists()


def test_two_splits_for_copies_of_one_file(music, out):
    write_wav(music / "copy.wav", seed=0)
    (music / "m.csv").write_text("path,split\n0.wav,train\ncopy.wav,test\n")
    result = fgmcaps("build", music / "m.csv", out)  # known only when the files were read, so work was announced
    line = result.stderr.splitlines()[-1]
    assert result.exit_code == 2 and "copies of one file" in line and "copy.wav" in line
    assert not (out / "data").exists() and not (out / "manifest.json").exists()


# What is refused as OUT.


def test_an_output_that_is_a_file(music, out):
    out.write_text("mine")
    assert "is a file" in refused("build", music, out)
    assert out.read_text() == "mine"


def test_an_output_with_other_files(music, out):
    out.mkdir()
    (out / "mine.txt").touch()
    assert "mine.txt" in refused("build", music, out)
    assert list(out.iterdir()) == [out / "mine.txt"]


def test_the_input_as_output(music):
    assert "not empty" in refused("build", music, music)
    assert sorted(p.name for p in music.iterdir()) == ["0.wav", "1.wav"]


def test_the_output_of_another_input_or_configuration(music, out):
    from fgmcaps.pipeline.config import BuildConfig

    ours = BuildConfig().public()
    folder = OutputFolder(out)
    folder.prepare()
    folder.claim(BuildIdentity("/other", ours), replace=False)
    line = refused("build", music, out)
    assert f'input: "/other" -> "{music}"' in line and "--replace" in line
    folder.claim(BuildIdentity(str(music), {**ours, "seed": 4}), replace=True)
    line = refused("build", music, out)
    assert "(seed: 4 -> 0)" in line and "--replace" in line
    assert not (out / ".fgmcaps" / "inventory.jsonl").exists()


def test_two_commands_into_one_output(music, out):
    folder = OutputFolder(out)
    folder.prepare()
    with folder.locked():
        assert "another fgmcaps command" in refused("build", music, out)
        assert "another fgmcaps command" in refused("caption", music, out)


# What is refused as a command or option.


@pytest.mark.parametrize("command", ["build", "annotate", "caption"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--wrokers", "2"], ["--wrokers", "did you mean '--workers'"]),
        (["--clip-per-track=2"], ["did you mean '--clips-per-track'"]),
        (["--flink-master=x"], ["did you mean '--flink_master'"]),
        (["-z"], ["-z"]),
        (["--profile", "bset"], ["--profile", "'bset'", "did you mean 'best'"]),
        (["--captioner", "openia"], ["did you mean 'openai'"]),
        (["--clips-per-track", "0"], ["--clips-per-track", "'0'", "all"]),
        (["--clips-per-track", "x"], ["--clips-per-track", "'x'"]),
        (["--clips-per-track", "-1"], ["--clips-per-track"]),
        (["--clips-per-track", "\u00b2"], ["--clips-per-track"]),
        (["--clips-per-track", "9" * 5000], ["--clips-per-track"]),
        (["--workers", "0"], ["--workers"]),
        (["--workers", "two"], ["--workers"]),
        (["--limit", "0"], ["--limit"]),
        (["--rows-per-shard", "0"], ["--rows-per-shard"]),
        (["--runner", "DaskRunner"], ["DaskRunner", "loses rows", "FlinkRunner"]),
        (["--runner", "FlinkRuner"], ["did you mean 'FlinkRunner'"]),
        (["--config", "no-such.yaml"], ["no-such.yaml"]),
        (["more"], ["unexpected argument 'more'"]),
        (["--flink_master=x", "more"], ["unexpected argument 'more'"]),
    ],
)
def test_a_wrong_option(music, out, command, options, words):
    line = refused(command, music, out, *options)
    assert all(word in line for word in words), line
    assert not out.exists()


@pytest.mark.parametrize(
    ("command", "options", "named"),
    [
        ("build", ["--model", "m"], "--model: "),
        ("build", ["--serve", "m"], "--serve: "),
        ("build", ["--base-url", "http://h/v1", "--model", "m"], "--base-url, --model: "),
        ("build", ["--api-key", "sk-1"], "--api-key: "),
        ("build", ["--captioner", "template", "--model", "m"], "--model: "),
        ("annotate", ["--serve", "m"], "--serve: "),
        ("caption", ["--model", "m"], "--model: "),
        ("caption", ["--only-rejected"], "--only-rejected: "),
    ],
)
def test_options_of_an_llm_without_one_are_named(music, out, command, options, named):
    line = refused(command, music, out, *options)
    assert named in line and "add --captioner openai" in line
    assert not out.exists()


def test_what_the_environment_says_of_an_llm_is_for_those_who_ask_for_one(music, out, monkeypatch):
    monkeypatch.setenv("FGMCAPS_MODEL", "m")
    monkeypatch.setenv("FGMCAPS_BASE_URL", "http://h/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    assert "--captioner" not in refused("build", music, out, "--config", "no-such.yaml")


def test_a_dry_run_makes_no_folder(music, out):
    assert "nothing is annotated" in refused("caption", music, out, "--dry-run")
    assert not out.exists()


def test_a_misspelt_option_before_the_input_is_named_all_the_same(music, out):
    assert "did you mean '--workers'" in refused("build", "--wrokers", "2", music, out)
    assert "INPUT and OUT before" in refused("build", "--flink_master=host:8081", music, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profil: best", ["b.yaml", "'profil'", "did you mean 'profile'"]),
        ("rows_per_shard: many", ["b.yaml", "'rows_per_shard'", "'many'"]),
        ("- a", ["b.yaml", "key: value"]),
        ("llm: {model: m}", ["b.yaml", "add `captioner: openai`"]),
        ("a: [", ["b.yaml"]),
        ("profile_overrides: {fusoin: {}}", ["profile_overrides", "fusoin", "fusion"]),
        ("profile_overrides: {stages: {key: [{tool: essentia_kye}]}}", ["profile_overrides", "essentia_key"]),
    ],
)
def test_a_wrong_configuration(music, out, tmp_path, text, words):
    (tmp_path / "b.yaml").write_text(text)
    line = refused("build", music, out, "--config", tmp_path / "b.yaml")
    assert all(word in line for word in words), line
    assert not out.exists()


def test_a_configuration_that_cannot_be_read(music, out, tmp_path):
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    assert "b.yaml" in refused("build", music, out, "--config", tmp_path / "b.yaml")
    assert "--config" in refused("build", music, out, "--config", tmp_path)
    assert not out.exists()


def test_a_misspelt_command():
    assert "no such command: biuld (did you mean 'build'?)" in refused("biuld", "a", "b")
    assert "no such command: zzz" in refused("zzz")
    assert "--versoin" in refused("--versoin")


@pytest.mark.parametrize("args", [["build"], ["build", "music"], ["validate"], ["report"], ["annotate-file"]])
def test_a_missing_argument(args):
    assert "Missing argument" in refused(*args)


@pytest.mark.parametrize("command", ["validate", "report", "stats"])
def test_a_folder_that_holds_no_dataset(tmp_path, command):
    for folder, exit_code in ((tmp_path / "none", 2), (tmp_path, 5)):
        result = fgmcaps(command, folder)
        assert result.exit_code == exit_code, result.output
        assert result.stderr.count("\n") == 1 and result.stderr.startswith("fgmcaps: ")
    assert list(tmp_path.iterdir()) == []


# Help.


def test_help_names_every_command_and_the_exit_codes():
    for flag in ("--help", "-h"):
        result = fgmcaps(flag)
        assert result.exit_code == 0
        text = " ".join(result.stdout.split())
        assert all(word in text for word in (*COMMANDS, "Exit codes: 0 done"))
        assert "..." not in text.removeprefix("Usage: fgmcaps [OPTIONS] COMMAND [ARGS]...")  # no summary is cut short


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_that_fits_a_terminal(command):
    result = fgmcaps(command, "--help")
    assert result.exit_code == 0 and max(map(len, result.stdout.splitlines())) <= 80
    assert "Usage: " in result.stdout and all(
        option.help for option in main.get_command(None, command).params if option.opts[0][0] == "-"
    )


def test_no_command_at_all_shows_the_help():
    result = fgmcaps()
    assert result.exit_code == 2 and "Commands:" in result.stderr


def test_help_imports_nothing_heavy_and_answers_at_once():
    code = (
        "import sys, time\nfrom fgmcaps.pipeline.cli import COMMANDS, main\n"
        "try:\n    main(['build', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'apache_beam', 'torch', 'numpy', 'pyarrow', 'pydantic', 'datasets', 'rich'} & set(sys.modules)),"
        " time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    heavy, _, seconds = done.stderr.strip().rpartition(" ")
    assert "Annotate, caption and write" in done.stdout and heavy == "[]" and float(seconds) < 0.5


def test_a_refusal_from_the_shell_is_one_line_on_standard_error(music, out):
    done = subprocess.run(
        [sys.executable, "-m", "fgmcaps", "build", str(music), str(out), "--profile", "bset"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "") and len(done.stderr.splitlines()) == 1


def test_output_into_a_pipe_that_closes_is_no_error(tmp_path):
    facts = json.dumps({"facts": {}, "caption": "Music."})
    (tmp_path / "captions.jsonl").write_text(f"{facts}\n" * 20_000)
    command = [sys.executable, "-m", "fgmcaps", "check-captions", str(tmp_path / "captions.jsonl")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline()
    child.stdout.close()
    assert "Traceback" not in child.stderr.read()
    assert child.wait(timeout=60) == 0


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf%s\r\n", b"\xff\xfe"])
def test_check_captions_reads_what_windows_writes(tmp_path, data):
    line = '{"facts": {"key": "A minor"}, "caption": "Music in A minor."}'
    encoded = line.encode() if b"%s" in data else f"{line}\r\n".encode("utf-16-le")
    (tmp_path / "c.jsonl").write_bytes(data.replace(b"%s", encoded) if b"%s" in data else data + encoded)
    done = CliRunner().invoke(main, ["check-captions", str(tmp_path / "c.jsonl")])
    assert done.exit_code == 0 and json.loads(done.output)["ok"] is True, done.output


def test_check_captions_names_the_line_that_is_no_text(tmp_path):
    good = b'{"facts": {"key": "A minor"}, "caption": "Music in A minor."}\n'
    (tmp_path / "c.jsonl").write_bytes(good + b'{"facts": {}, "caption": "caf\xe9"}\n' + good)
    done = CliRunner().invoke(main, ["check-captions", str(tmp_path / "c.jsonl")])
    verdicts = [json.loads(text) for text in done.output.splitlines()[:3]]
    assert [v["ok"] for v in verdicts] == [True, False, True] and done.exit_code == 5
    assert verdicts[1]["error"] == "line 2: not UTF-8 (byte 0xe9); save the file in UTF-8"
