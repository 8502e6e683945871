"""Asks the peers' processes, by turns: peer.py says what is asked and answered."""

import json
import random
import socket
import subprocess

from environments import LeftOut

PATIENCE = 600  # seconds for an answer
FAREWELL = 10  # seconds for a process to end by itself


class Process:
    """A peer that runs. What it prints goes to `log`."""

    def __init__(self, command, log, environment=None):
        self.log = log
        self.socket, its_socket = socket.socketpair()
        self.socket.settimeout(PATIENCE)
        self.answers = self.socket.makefile()
        with its_socket, open(log, "w") as messages:
            self.process = subprocess.Popen(command, stdin=its_socket, stdout=messages, stderr=messages,
                                            env=environment)
        try:
            self.about, self.contenders = self._read("about", "contenders")
        except LeftOut:
            self.close()
            raise

    def ask(self, what, **request):
        """`what` of the answer. Raises LeftOut where there is none."""
        try:
            self.socket.sendall(f"{json.dumps(request)}\n".encode())
        except OSError:
            pass  # reading tells
        return self._read(what)[0]

    def close(self):
        self.answers.close()
        self.socket.close()
        try:
            self.process.wait(FAREWELL)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self, *what):
        line = self._read_line()
        try:
            answer = json.loads(line)
            if "error" not in answer:
                return [answer[one] for one in what]
        except (KeyError, TypeError, ValueError):
            self.process.kill()  # what it answers next would be taken for something else
            raise LeftOut(f"its answer is not what peer.py says but {line[:80]!r} (see {self.log})") from None
        raise LeftOut(answer["error"])

    def _read_line(self):
        try:
            line = self.answers.readline()
        except socket.timeout:
            self.process.kill()
            raise LeftOut(f"it has not answered for {PATIENCE} seconds (see {self.log})") from None
        except OSError:  # the connection is lost
            line = ""
        if not line:
            raise LeftOut(f"its process has ended (see {self.log})")
        return line


def prepare(process, contender, file, mode):
    """Raises LeftOut if its results are not those that are expected: then there is nothing to time."""
    difference = process.ask("difference", prepare=contender, case=str(file), mode=mode)
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
    """({contender: seconds of each run}, {contender: why it is left out}): all are compared first, then timed by turns,
    in another order each round.

    processes: [Process]; file: of the case
    """
    left_out = {}
    contenders = {name: process for process in processes for name, its in process.contenders.items()
                  if mode in its["modes"]}
    for name, process in contenders.items():
        attempt(left_out, name, prepare, process, name, file, mode)
    seconds = {name: [] for name in contenders if name not in left_out}
    for number in range(rounds):
        for name in random.Random(number).sample(list(seconds), len(seconds)):
            turn = attempt(left_out, name, contenders[name].ask, "seconds", time=name)
            if turn:
                seconds[name] += turn
            else:
                del seconds[name]
    return seconds, left_out
