"""Foundations of neural networks: every formula written once, in plain NumPy, and checked.

A chapter of the book has its module here, or two: `nnlib.neuron` and `nnlib.activations` go with the chapter
on the neuron. `import nnlib` loads NumPy and nothing else.
"""
