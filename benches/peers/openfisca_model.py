"""The same split as an OpenFisca model, on the claims that the program beside it wrote.

Usage: openfisca_model.py FOLDER. Prints claims a second: one claim at a time, a batch through the simulation builder, a
batch turned into columns by hand (from dictionaries, and from JSON to JSON), and the arithmetic over those columns
alone; and how many come out to the fen.
"""

import json
import sys
import time

import numpy as np
from openfisca_core.entities import build_entity
from openfisca_core.periods import YEAR
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

PERIOD = "2026"
LINES = (1, 2, 3)
Bill = build_entity(key="bill", plural="bills", label="a bill", is_person=True)
system = TaxBenefitSystem([Bill])


def variable(name, formula=None, kind=float):
    fields = {"value_type": kind, "entity": Bill, "definition_period": YEAR, "label": name}
    if formula is not None:
        fields["formula"] = lambda bill, period: formula(lambda other: bill(other, period))
    system.add_variable(type(name, (Variable,), fields))


def half_up(yuan):
    return np.floor(yuan * 100 + 0.5) / 100


def by_level(of, level1, level2, level3):
    return np.select([of("level") == 1, of("level") == 2], [level1, level2], level3)


for name in ["used", "own"]:
    variable(name)
variable("level", kind=int)
variable("retired", kind=bool)
for n in LINES:
    for name in ["amount", "prop", "ceiling", "cnt"]:
        variable(f"{name}{n}")
    variable(f"class{n}", kind=int)


def scope_of(n):
    def formula(of):
        capped = np.minimum(of(f"amount{n}"), of(f"ceiling{n}") * of(f"cnt{n}"))
        return np.where(of(f"class{n}") == 3, 0, capped - half_up(capped * of(f"prop{n}")))

    return formula


for n in LINES:
    variable(f"scope{n}", scope_of(n))
variable("total", lambda of: sum(of(f"amount{n}") for n in LINES))
variable("scope", lambda of: sum(of(f"scope{n}") for n in LINES))
variable("ratio", lambda of: by_level(of, 0.60, 0.55, 0.50) + np.where(of("retired"), 0.05, 0))
variable(
    "inpatient_ratio",
    lambda of: np.where(of("retired"), by_level(of, 0.95, 0.92, 0.89), by_level(of, 0.91, 0.88, 0.85)),
)
variable("base", lambda of: np.maximum(of("scope") - by_level(of, 30, 60, 90), 0))
variable("left", lambda of: 6000 - of("used"))
variable("owed", lambda of: of("base") * of("ratio"))
variable("outpatient", lambda of: np.minimum(half_up(of("owed")), of("left")))
variable(
    "inpatient",
    lambda of: np.where(
        of("owed") > of("left"), half_up((of("base") - of("left") / of("ratio")) * of("inpatient_ratio")), 0
    ),
)
variable("person", lambda of: of("total") - of("outpatient") - of("inpatient"))
variable("account", lambda of: np.minimum(of("own"), of("person")))
variable("cash", lambda of: of("person") - of("account"))
ASKED = ["outpatient", "inpatient", "account", "cash"]


def entity(claim):
    bill = {name: {PERIOD: claim[name]} for name in ["level", "retired", "used", "own"]}
    for n, line in zip(LINES, claim["lines"]):
        for name in ["amount", "class", "prop", "ceiling", "cnt"]:
            bill[f"{name}{n}"] = {PERIOD: line[name]}
    return bill


def build(claims):
    return SimulationBuilder().build_from_entities(
        system, {"bills": {str(no): entity(claim) for no, claim in enumerate(claims)}}
    )


def by_columns(claims):
    simulation = SimulationBuilder().build_default_simulation(system, len(claims))
    for name in ["level", "retired", "used", "own"]:
        simulation.set_input(name, PERIOD, np.array([claim[name] for claim in claims]))
    for n in LINES:
        for name in ["amount", "class", "prop", "ceiling", "cnt"]:
            column = np.array([claim["lines"][n - 1][name] for claim in claims])
            simulation.set_input(f"{name}{n}", PERIOD, column)
    return simulation


def exact(results, rows):
    same = sum(
        all(f"{results[name][no]:.2f}" == amount for name, amount in zip(ASKED, row["amounts"]))
        for no, row in enumerate(rows)
    )
    return f"{same}/{len(rows)}"


def told(what, count, seconds, to_the_fen):
    print(f"{what}\t{count / seconds:.0f}\t{seconds / count * 1e6:.2f}µs\t{to_the_fen}")


def main():
    with open(f"{sys.argv[1]}/claims.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    claims = [row["claim"] for row in rows]

    few = claims[:50]
    started = time.process_time()
    for claim in few:
        simulation = build([claim])
        [simulation.calculate(name, PERIOD) for name in ASKED]
    told("OpenFisca, one claim at a time", len(few), time.process_time() - started, "")

    batch = claims[:5000]
    started = time.process_time()
    simulation = build(batch)
    results = {name: simulation.calculate(name, PERIOD) for name in ASKED}
    took = time.process_time() - started
    told("OpenFisca, a batch by its builder", len(batch), took, exact(results, rows[: len(batch)]))

    started = time.process_time()
    simulation = by_columns(claims)
    built = time.process_time()
    results = {name: simulation.calculate(name, PERIOD) for name in ASKED}
    ended = time.process_time()
    told("OpenFisca, a batch by columns", len(claims), ended - started, exact(results, rows))
    told("OpenFisca, those columns' arithmetic alone", len(claims), ended - built, exact(results, rows))

    texts = [json.dumps(claim) for claim in claims]
    started = time.process_time()
    simulation = by_columns([json.loads(text) for text in texts])
    columns = [[f"{amount:.2f}" for amount in simulation.calculate(name, PERIOD)] for name in ASKED]
    answers = [json.dumps(dict(zip(ASKED, amounts))) for amounts in zip(*columns)]
    took = time.process_time() - started
    told("OpenFisca, a batch by columns, JSON in and out", len(answers), took, exact(results, rows))


main()
