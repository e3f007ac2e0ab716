"""The surveys that intake serves: catalogue, publication, closing, retention."""
