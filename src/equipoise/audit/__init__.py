"""Audit any recommender: group fairness with honest statistics, attackers, evidence."""
