"""Run the models of tests/sim for hours: `make soak ARGS="--seconds 3600 --seed 7"`.

Two peers (tests/sim/test_two_peers.py), two peers with a chain (test_chain_peers.py) and a node between two others
(test_three_nodes.py) take turns. The seed is printed first; a failure prints the shrunk steps and the conversation, a column
for each side, and the command that finds it again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from tests.sim.test_chain_peers import ChainPeers
from tests.sim.test_three_nodes import ThreeNodes
from tests.sim.test_two_peers import TwoPeers

MODELS: dict[str, type[RuleBasedStateMachine]] = {
    "peers": TwoPeers,
    "chain": ChainPeers,
    "middle": ThreeNodes,
}
_EXAMPLES_A_ROUND = 50


class Counter:
    """What was done so far."""

    def __init__(self) -> None:
        self.steps = 0
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.began

    def counting(self, model: type[RuleBasedStateMachine]) -> type[Any]:
        """The model, which counts its steps here."""
        counter = self

        class Counted(model):  # type: ignore[misc, valid-type]
            @invariant()
            def one_more(self) -> None:
                counter.steps += 1

        Counted.__name__ = Counted.__qualname__ = model.__name__
        return Counted


def run_round(model: type[Any], number: int, steps: int) -> BaseException | None:
    """Some examples of one model; what failed, shrunk."""
    how = settings(
        max_examples=_EXAMPLES_A_ROUND,
        stateful_step_count=steps,
        phases=[Phase.generate, Phase.shrink],
        derandomize=False,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(number)(model), settings=how)
    except KeyboardInterrupt:
        raise
    except BaseException as err:  # noqa: BLE001  hypothesis raises groups as well
        return err
    return None


def main(argv: list[str] | None = None) -> int:
    """The command line; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long (3600)")
    parser.add_argument("--seed", type=int, help="repeat an earlier run")
    parser.add_argument("--steps", type=int, default=40, help="steps of one example (40)")
    parser.add_argument("--model", choices=[*MODELS], help="only this one")
    args = parser.parse_args(argv)
    first = random.randrange(1 << 32) if args.seed is None else args.seed
    print(f"seed {first}", flush=True)
    names = [args.model] if args.model else [*MODELS]
    counter, number = Counter(), first
    models = {name: counter.counting(MODELS[name]) for name in names}
    while counter.seconds < args.seconds:
        for name in names:
            err = run_round(models[name], number, args.steps)
            if err is not None:
                traceback.print_exception(err)
                again = f"--model {name} --seed {number} --steps {args.steps}"
                print(f"\nfailed; again: python -m tools.soak {again}")
                return 1
        number += 1
        rate = counter.steps / counter.seconds
        print(
            f"{counter.seconds:8.0f} s  {counter.steps:10} steps  {rate:6.0f} a second", flush=True
        )
    print(f"nothing failed; seeds {first} to {number - 1}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
