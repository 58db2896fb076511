#!/bin/sh
# web | worker | beat | migrate | any manage.py command
set -eu
case "${1:-web}" in
  web)
    exec granian --interface wsgi --host 0.0.0.0 --port "${WEB_PORT:-8000}" --workers "${WEB_WORKERS:-2}" \
      --blocking-threads "${WEB_THREADS:-4}" --no-ws --log-level warning config.wsgi:application ;;
  worker)
    exec celery -A config.celery worker --loglevel INFO --concurrency "${WORKER_CONCURRENCY:-2}" ;;
  beat)
    exec celery -A config.celery beat --loglevel WARNING --pidfile= --schedule /tmp/beat-schedule ;;
  migrate)
    exec python manage.py migrate_towns ;;
  *)
    exec python manage.py "$@" ;;
esac
