"""Runs the programs that measure."""

import subprocess

from ratios import InputError


def run(*command):
    """What the program prints."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"{command[0]}: {error.strerror}; is it built?")
    if result.returncode != 0:
        raise InputError(f"{command[0]} failed: {result.stderr.strip()[-2000:]}")
    return result.stdout
