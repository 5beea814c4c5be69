"""Where a batch keeps its events: one package per engine, all behind `flow.ports.Warehouse`."""
