"""Asks the peers' processes, by turns: peer.py says what is asked and answered."""

import json
import subprocess

from environments import LeftOut


class Process:
    """A peer that runs. Its messages go to `log`."""

    def __init__(self, command, log, environment=None):
        self.log = log
        with open(log, "w") as messages:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages,
                                            text=True, env=environment)
        try:
            hello = self._read()
        except LeftOut:
            self.close()
            raise
        self.about, self.contenders = hello["about"], hello["contenders"]

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # reading tells
        return self._read()

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise LeftOut(f"its process has ended (see {self.log})")
        answer = json.loads(line)
        if "error" in answer:
            raise LeftOut(answer["error"])
        return answer


def prepare(process, contender, file, mode):
    """Raises LeftOut if its results are not those that are expected: then there is nothing to time."""
    difference = process.ask(prepare=contender, case=str(file), mode=mode)["difference"]
    tolerance = process.contenders[contender]["tolerance"]
    if not difference <= tolerance:  # it may be NaN
        raise LeftOut(f"its results differ by {difference:.2g} of the largest one, more than {tolerance:g}")


def attempt(left_out, name, function, *arguments, **more):
    """What the function gives; if that is LeftOut, then `left_out` says why, and None."""
    try:
        return function(*arguments, **more)
    except LeftOut as why:
        left_out[name] = str(why)
        return None


def measure(processes, file, mode, rounds):
    """({contender: seconds of each run}, {contender: why it is left out}): all are compared first, then timed by turns.

    processes: [Process]; file: of the case
    """
    left_out = {}
    contenders = {name: process for process in processes for name, its in process.contenders.items()
                  if mode in its["modes"]}
    for name, process in contenders.items():
        attempt(left_out, name, prepare, process, name, file, mode)
    seconds = {name: [] for name in contenders if name not in left_out}
    for _ in range(rounds):
        for name in list(seconds):
            turn = attempt(left_out, name, contenders[name].ask, time=name)
            if turn:
                seconds[name] += turn["seconds"]
            else:
                del seconds[name]
    return seconds, left_out
