"""The engine is there when it is asked for, and only then."""

import os
import subprocess
import sys
import threading
import unittest

import torch
from torch import nn

from python_support import LIBRARY, OPTIONS, EngineTest, engine, make_batch, results_and_gradients


class InstallTest(unittest.TestCase):
    def installed_in_a_new_process(self, **environment):
        program = "import sys, torch; torch.ops.load_library(sys.argv[1]); print(torch.ops.packseq.installed())"
        clean = {key: value for key, value in os.environ.items() if key != "PACKSEQ_INSTALL_ENGINE"}
        result = subprocess.run([sys.executable, "-W", "ignore", "-c", program, LIBRARY], env=clean | environment,
                                capture_output=True, text=True, check=True)
        return result.stdout.strip(), result.stderr

    def test_loading_changes_nothing(self):
        self.assertEqual(self.installed_in_a_new_process(), ("False", ""))
        self.assertEqual(self.installed_in_a_new_process(PACKSEQ_INSTALL_ENGINE="0"), ("False", ""))

    def test_environment_variable(self):
        self.assertEqual(self.installed_in_a_new_process(PACKSEQ_INSTALL_ENGINE="1"), ("True", ""))

    def test_other_values_of_the_environment_variable(self):
        installed, message = self.installed_in_a_new_process(PACKSEQ_INSTALL_ENGINE="yes")
        self.assertEqual(installed, "False")
        self.assertIn("PACKSEQ_INSTALL_ENGINE", message)

    def test_at_run_time(self):
        self.assertFalse(torch.ops.packseq.installed())
        torch.ops.packseq.install()
        self.assertTrue(torch.ops.packseq.installed())
        torch.ops.packseq.install()
        torch.ops.packseq.uninstall()
        self.assertFalse(torch.ops.packseq.installed())

    def test_from_torchscript(self):
        @torch.jit.script
        def install_and_ask() -> bool:
            torch.ops.packseq.install()
            return torch.ops.packseq.installed()

        with engine(install=False):
            self.assertTrue(install_and_ask())


class SwitchTest(EngineTest):
    def test_installed_and_uninstalled_while_others_run(self):
        network, packed = nn.LSTM(3, 4, **OPTIONS), make_batch(requires_grad=True)
        expected = results_and_gradients(network, packed)
        done = threading.Event()

        def switch():
            while not done.is_set():
                torch.ops.packseq.install()
                torch.ops.packseq.uninstall()

        switching = threading.Thread(target=switch)
        switching.start()
        try:
            for _ in range(50):
                self.assert_close(results_and_gradients(network, packed), expected, 1e-4)
        finally:
            done.set()
            switching.join()
