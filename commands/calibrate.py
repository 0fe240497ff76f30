"""`reaseq calibrate`: confidences that come true, and the thresholds that keep a target precision."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.evaluate import EVALUATION_KB, Catalog, Complete, Kb, Sample, Seed, Split
from commands.output import AsJson, fail, print_json, print_table, run_async, say
from commands.setting_options import AIDS, REASONING, TELEMETRY, with_options
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.trust.confidence import CalibrationModel
    from agents.trust.fitting import LabelledClaim
    from agents.trust.held_out import HeldOut, Spread
    from commands.evaluation_gold import GoldChoice

Gold = Annotated[Path | None, typer.Argument(help="Golden items: JSON Lines, also .gz.", metavar="GOLD")]
Reviews = Annotated[
    str | None, typer.Option("--reviews", help="The knowledge base whose decisions count too.", metavar="URL")
]
Target = Annotated[
    float, typer.Option("--target-precision", help="Which precision accepted claims must keep; 0: none.", min=0, max=1)
]
Level = Annotated[float, typer.Option("--level", help="How sure that precision must be.", min=0.5, max=0.999)]
Out = Annotated[Path | None, typer.Option("--out", help="The file to write, for --calibration.", metavar="FILE")]


@with_options(REASONING | AIDS | TELEMETRY)
def calibrate(
    context: typer.Context,
    gold: Gold = None,
    catalog: Catalog = None,
    kb: Kb = EVALUATION_KB,
    reviews: Reviews = None,
    split: Split = None,
    sample: Sample = None,
    seed: Seed = 0,
    complete: Complete = False,
    target_precision: Target = 0.95,
    level: Level = 0.95,
    out: Out = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Fit confidences to what gold and people say; says what that is worth on items that it was not fitted on.

    People's decisions are those of your knowledge base (or of --reviews); GOLD may be left out.
    """
    given = locals()
    _calibrate(**given.pop("settings"), **given)


def _calibrate(
    context: typer.Context, *, seed: int, complete: bool, out: Path | None, as_json: bool, **given: Any
) -> None:
    from agents.trust.fitting import fit_calibration  # noqa: PLC0415 - NumPy takes a moment to import
    from agents.trust.held_out import held_out  # noqa: PLC0415
    from commands.evaluation_gold import GoldChoice  # noqa: PLC0415
    from evaluators.significance import require_scipy  # noqa: PLC0415

    require_scipy()
    settings = settings_of(context, **{name: given[name] for name in Settings.model_fields if name in given})
    claims = list(_by_people(settings, given["reviews"], settings_of(context).kb))
    if given["gold"]:
        chosen = {name: given[name] for name in ("catalog", "split", "sample")}
        by_gold = run_async(_judged(settings, GoldChoice(file=given["gold"], seed=seed, **chosen), complete))
        claims = _each_once([*claims, *by_gold])
    if not claims:
        raise typer.Exit(fail("there is no judged claim to fit on"))
    target, level = given["target_precision"] or None, given["level"]
    figures = held_out(claims, target, level, seed)
    fitted = fit_calibration(claims, model=settings.model, target_precision=target, level=level)
    if out:
        _write(out, fitted)
    if as_json:
        print_json({"calibration": fitted.model_dump(mode="json"), "held_out": figures and figures.model_dump()})
    else:
        _print_figures(claims, figures, target)
        _print_thresholds(fitted)


def _each_once(claims: "list[LabelledClaim]") -> "list[LabelledClaim]":
    """Return one judgement a value of an item, the first: people's goes before that of gold."""
    first: dict[tuple[str, str, str], LabelledClaim] = {}
    for claim in claims:
        first.setdefault((claim.item_id, claim.attribute, claim.value), claim)
    return list(first.values())


def _by_people(settings: Settings, reviews: str | None, kb: str) -> "Iterator[LabelledClaim]":
    """Yield the claims that people judged; the knowledge base `reviews` has to be there, `kb` need not."""
    from commands.calibrations import claims_on_people  # noqa: PLC0415 - as above
    from commands.choices import taxonomy_of  # noqa: PLC0415

    specs = taxonomy_of(settings).attributes
    return claims_on_people(reviews or kb, settings.model, specs, must_exist=reviews is not None)


def _write(out: Path, fitted: "CalibrationModel") -> None:
    from memory.atomic_file import written_whole  # noqa: PLC0415 - as above

    with written_whole(out) as unfinished:
        unfinished.write_text(fitted.model_dump_json(indent=1) + "\n", encoding="utf-8")
    say(f"written: {out}")


def _print_thresholds(fitted: "CalibrationModel") -> None:
    rows = [
        [name, f"{t.confidence:.3f}", f"{t.right} of {t.claims}", f"{t.lower_bound:.3f}"]
        for name, t in fitted.thresholds.items()
    ]
    if rows:
        print_table("Thresholds, on the claims fitted on", ["claims of", "from", "right", "lower bound"], rows)
    if any(threshold.confidence > 1 for threshold in fitted.thresholds.values()):
        say("no threshold reaches the target: claims without one of their own are all left to a person")


async def _judged(settings: Settings, choice: "GoldChoice", complete: bool) -> "list[LabelledClaim]":
    """Run the gold without a calibration, and return what it says of the claims."""
    from commands.calibrations import claims_on_gold  # noqa: PLC0415 - as above
    from commands.choices import taxonomy_of  # noqa: PLC0415
    from commands.evaluation_gold import gold_set, grading_of, tell_left_out  # noqa: PLC0415
    from commands.evaluation_systems import Bench, run_gold  # noqa: PLC0415
    from commands.run_options import RunOptions  # noqa: PLC0415
    from evaluators.evaluation import Protocol  # noqa: PLC0415

    taxonomy = taxonomy_of(settings)
    grading = grading_of(taxonomy, Protocol(match="normal", complete=complete))
    gold = gold_set(choice, taxonomy)
    tell_left_out(gold)
    bench = Bench(gold, grading, 0.95, RunOptions())
    plain = settings.overridden(without=tuple({*settings.without, "calibration"}))
    version = await run_gold(plain, bench, settings.model)
    return list(claims_on_gold(settings.kb, bench, taxonomy.attributes, version))


def _print_figures(claims: "list[LabelledClaim]", figures: "HeldOut | None", target: float | None) -> None:
    say(f"{len(claims)} judged claims, {sum(claim.right for claim in claims)} of them right")
    if figures is None:
        say("too few items to hold any out: nothing is known of what this is worth")
        return
    rows = [
        ["calibration error (ECE)", _told(figures.ece_before), _told(figures.ece)],
        ["Brier score", _told(figures.brier_before), _told(figures.brier)],
    ]
    if figures.coverage:
        rows += [
            [f"claims kept for a precision of {target}", "1.000", _told(figures.coverage)],
            ["their precision", _told(figures.precision_before), _told(figures.precision)],
        ]
    title = f"On halves of the items that it was not fitted on ({figures.halvings} random halvings, mean ± deviation)"
    print_table(title, ["", "producers' own", "calibrated"], rows)
    if figures.ece.mean >= figures.ece_before.mean:
        say("on items that it was not fitted on it is no better than what producers say: judge more claims first")
    if figures.without_threshold:
        say(f"in {figures.without_threshold} of {2 * figures.halvings} halves no threshold reached the target")


def _told(spread: "Spread | None") -> str:
    return "-" if spread is None else f"{spread.mean:.3f} ± {spread.deviation:.3f}"
