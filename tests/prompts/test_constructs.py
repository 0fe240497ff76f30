"""Templates that escape, explode or never end are refused before anything of them is computed."""

import time

import pytest

from prompts.sections import Section
from prompts.templates import compiled, references

LONG = "x" * 20_000  # as much as an item's text has


@pytest.mark.parametrize(
    "template",
    [
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ item % 1 }}",
        "{{ item.format(1) }}",
        "{{ item.__class__ }}",
        "{{ item['__class__'] }}",
        "{{ item | attr('__class__') }}",
        "{{ item | map('upper') | list }}",
        "{{ item | center(1000000000) }}",
        "{{ item | indent(width=1000000000) }}",
        "{{ item | replace('', item) }}",
        "{{ item | list | join(item) }}",
        "{{ item | list | tojson(indent=1000000) }}",
        "{{ item | replace('x', 'xxxxxxxxxxxx') | replace('x', 'xxxxxxxxxxxx') | replace('x', 'xxxxxxxxxxxx') }}",
        "{{ item | random }}",
        "{% for a in item %}{% for b in item %}{{ item }}{% endfor %}{% endfor %}",
        "{% for a in range(1000000000) %}x{% endfor %}",
        "{% for a in [1, 2] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% for a in [1, 2] %}{% for b in [1, 2] %}x{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% set a = item ~ item %}{% set b = a ~ a %}{{ b ~ b }}",
        "{% filter upper %}{{ item }}{% endfilter %}",
        "{% import 'os' as os %}",
        "{% include '../../etc/passwd' %}",
        "{% include item %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{{ " + "9" * 6000 + " }}",
        "{{ " + " + ".join(["item"] * 5000) + " }}",
        "{{ item }}" * 1500,
        "{% if item %}" * 3000 + "{% endif %}" * 3000,
        "{% for a in " + str(list(range(50))) + " %}" + "y" * 6000 + "{% endfor %}",
        "{{ cycler() }}",
        "{{ lipsum(n=1000) }}",
    ],
    ids=lambda template: template[:40],
)
def test_a_hostile_template_is_refused_at_once(template: str) -> None:
    started = time.process_time()

    found = references("critic.md", Section(template, line=7), {})

    assert found.findings
    assert all(finding.severity == "error" and (finding.line or 0) >= 7 for finding in found.findings)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("{% if item %}{{ item }}{% else %}none{% endif %}", "tea"),
        ("{{ item | upper | trim }}", "TEA"),
        ("{{ item[:2] }}", "te"),
        ("{{ item or 'nothing' }}", "tea"),
        ("{{ item | default('none') | truncate(200) }}", "tea"),
        ("{{ item | indent(2, first=true) }}", "  tea"),
        ("{% for word in ['a', 'b'] %}{{ loop.index }}{{ word }}{% endfor %}", "1a2b"),
        ("{{ 'yes' if item is defined and item != '' else 'no' }}", "yes"),
        ("{# gone #}{% raw %}{{ item }}{% endraw %}", "{{ item }}"),
    ],
)
def test_what_a_prompt_needs_is_allowed(template: str, rendered: str) -> None:
    assert references("critic.md", Section(template), {}).findings == ()
    assert compiled(template, ()).render(item="tea") == rendered


def test_what_is_allowed_stays_within_its_bound() -> None:
    template = "{{ item | replace('x', '" + "y" * 100 + "') | indent(8) }}"

    assert references("critic.md", Section(template), {}).findings == ()
    assert len(compiled(template, ()).render(item=LONG)) < 1000 * len(LONG)


def test_a_slot_is_told_with_the_line_on_which_it_stands_first() -> None:
    found = references(
        "critic.md", Section("a\n{{ item }}\n{% include '_tone.md' %}\n{{ item }}", 5), {"_tone.md": "x"}
    )

    assert (found.slots, found.fragments) == ({"item": 6}, {"_tone.md": 7})
