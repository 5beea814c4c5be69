"""Engines that run in environments of their own; Harken itself never imports them."""
