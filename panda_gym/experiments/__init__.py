"""Experiments that run the whole chain: demonstration, monitoring, generator comparison."""
