"""Catalogs, taxonomies and weights whose shape means harm: bombs, broken rows, files that refer to other files."""

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pytest

from memory.catalog import CatalogError, ReadLimits, RejectedRow, read_catalog
from memory.schema import CatalogItem
from memory.taxonomy import YamlError, load_taxonomy
from memory.weights import ALL_WEIGHTS, Weight, WeightsDamaged, verify

PICKLE = b"cos\nsystem\n(S'touch pwned'\ntR."  # what a reader of pickles would run
LAUGHTER = '<!DOCTYPE x [<!ENTITY a "hahahahaha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
ROW_3 = '<row r="3"><c r="A3" t="inlineStr"><is><t>3</t></is></c><c r="B3" t="inlineStr"><is><t>{}</t></is></c></row>'


def read(path: Path, limits: ReadLimits | None = None) -> list[str]:
    """Return the ids of a catalog's items, and the reasons of its other rows."""
    return [row.reason if isinstance(row, RejectedRow) else row.id for row in read_catalog(path, limits=limits)]


def spreadsheet(path: Path, change: Callable[[str], str]) -> Path:
    """Write a sheet of one good row, its XML changed."""
    book = openpyxl.Workbook()
    book.active.append(["id", "title"])
    book.active.append(["1", "mug"])
    book.save(path.with_suffix(".good"))
    with zipfile.ZipFile(path.with_suffix(".good")) as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, change(content.decode()) if name.endswith("sheet1.xml") else content)
    return path


def with_row(row: str) -> Callable[[str], str]:
    """Return what adds a row to a sheet's XML."""
    return lambda sheet: sheet.replace("</sheetData>", f"{row}</sheetData>")


@pytest.mark.scenario("H53", "I2 I14")
def test_h53_a_quote_that_opens_in_row_3_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = [f"{number},Mug {number},red" for number in range(2_000)]
    rows[2] = '2,"Mug 2,red'
    (tmp_path / "c.csv").write_text("\n".join(["id,title,color", *rows, '9999,"last, and quoted",red']))

    ends = read(tmp_path / "c.csv")

    assert len(ends) == 2_001
    assert [end for end in ends if not end.isdigit()] == ["has a quote inside a quoted cell: it has to be doubled"]
    assert ends[-1] == "9999"


@pytest.mark.scenario("H53", "I2 I12")
@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_h53_a_million_columns_cost_no_time_and_no_other_row(tmp_path: Path, name: str) -> None:
    row = "{" + ",".join(f'"a{number}":1' for number in range(1_000_000)) + ',"z":1,"z":2}'
    header = "id,title" + ",x" * 1_000_000
    good = '{"id": "1", "title": "mug"}\n'
    (tmp_path / name).write_text(f"{good}{row}\n" if name == "c.jsonl" else f"{header}\n1,mug\n")

    started = time.process_time()
    if name == "c.jsonl":
        assert read(tmp_path / name) == ["1", "is not valid JSON: the name 'z' occurs twice"]
    else:
        with pytest.raises(CatalogError, match="more than 10000 cells"):
            read(tmp_path / name)

    assert time.process_time() - started < 10  # looking for the repeated name one by one took hours


@pytest.mark.scenario("H53", "I12")
def test_h53_ten_thousand_columns_of_one_name_are_numbered_in_a_short_time(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id,title" + ",x" * 9_990 + "\n1,mug" + ",y" * 9_990 + "\n")

    started = time.process_time()
    [item] = read_catalog(tmp_path / "c.csv")

    assert time.process_time() - started < 4
    assert isinstance(item, CatalogItem)
    assert [name for name, _ in item.texts()][-1] == "x (9990)"


@pytest.mark.scenario("H54", "I12")
def test_h54_a_packed_cell_of_many_megabytes_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = "SELECT '1' AS id, repeat('x', 80000000) AS title UNION ALL SELECT '2', 'mug'"
    duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/c.parquet' (FORMAT parquet, COMPRESSION zstd)")
    spreadsheet(tmp_path / "c.xlsx", with_row(ROW_3.format("x" * 100_000)))

    assert (tmp_path / "c.parquet").stat().st_size < 100_000
    assert read(tmp_path / "c.parquet") == ["is longer than 67,108,864 bytes", "2"]
    assert read(tmp_path / "c.xlsx", ReadLimits(row_bytes=50_000)) == ["1", "is longer than 50,000 bytes"]


@pytest.mark.scenario("H54", "I9")
def test_h54_names_in_an_archive_that_lead_out_of_it_are_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = spreadsheet(tmp_path / "inner" / "c.xlsx", str)
    nested = path.read_bytes()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../escaped.txt", "x")
        archive.writestr("nested.xlsx", nested)
    before = sorted(tmp_path.rglob("*"))

    ends = read(path)

    assert ends == ["1"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.scenario("H55", "I8 I14")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda sheet: f"{LAUGHTER}]>{with_row(ROW_3.format('&j;'))(sheet)}", "cannot be read as a spreadsheet"),
        (
            lambda sheet: (
                f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{with_row(ROW_3.format("&e;"))(sheet)}'
            ),
            "cannot be read as a spreadsheet",
        ),
        (with_row('<row r="2147483647"><c r="A2147483647"><v>9</v></c></row>'), "rows beyond 1,048,576"),
    ],
    ids=["billion-laughs", "external-entity", "row-of-no-sheet"],
)
def test_h55_a_sheet_that_grows_or_refers_elsewhere_is_refused(
    tmp_path: Path, change: Callable[[str], str], problem: str
) -> None:
    path = spreadsheet(tmp_path / "c.xlsx", change)

    started = time.process_time()
    with pytest.raises(CatalogError, match=problem) as refused:
        read(path)

    assert "root:" not in str(refused.value)
    assert time.process_time() - started < 20


@pytest.mark.scenario("H56", "I9")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("attributes: !!python/object/apply:os.system ['touch pwned']", "line 1"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases"),
        ("department: no", "is no text for YAML"),
        ("department: 1.10", "is no text for YAML"),
        ("department: x\ndepartment: y", "occurs twice"),
        ("[" * 100_000, "cannot be read as YAML"),
        ("- x", "has to be a mapping"),
    ],
    ids=["python-object", "billion-laughs", "norway", "number", "twice", "deep", "list"],
)
def test_h56_a_taxonomy_is_plain_text_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(text)

    with pytest.raises(YamlError, match=problem):
        load_taxonomy(tmp_path / "t.yaml")

    assert [path.name for path in tmp_path.iterdir()] == ["t.yaml"]


@pytest.mark.scenario("H57", "I9")
@pytest.mark.parametrize("weight", ALL_WEIGHTS, ids=lambda weight: weight.distribution)
def test_h57_weights_that_are_others_are_refused_before_anything_reads_them(tmp_path: Path, weight: Weight) -> None:
    claims_10_gigabytes = (10 << 30).to_bytes(8, "little") + b"{}"
    for content in (PICKLE, claims_10_gigabytes, PICKLE.ljust(weight.size, b"\0")):
        (tmp_path / "weights").write_bytes(content)

        with pytest.raises(WeightsDamaged, match="expected"):
            verify(tmp_path / "weights", weight)

    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.scenario("H57", "I9")
def test_h57_a_cache_of_vectors_that_is_a_pickle_is_made_anew(tmp_path: Path) -> None:
    from memory.cached_vectors import _read

    (tmp_path / "v.npy").write_bytes(PICKLE)
    (tmp_path / "w.npy").write_bytes(PICKLE.ljust(128 + 4 * 384, b"\0"))

    assert _read(tmp_path / "v.npy", (1, 384)) is None
    assert _read(tmp_path / "w.npy", (1, 384)) is None
